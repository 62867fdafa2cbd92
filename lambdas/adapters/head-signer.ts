import { type KMSClient, SignCommand } from '@aws-sdk/client-kms';
import type { AuditEntry } from '../domain/audit/entry.ts';
import { headMessage, type SignedHead } from '../domain/audit/signed-head.ts';
import { MedicError } from './medic-error.ts';

/** Signs the last entry of an incident with the deployment's key; the private half never leaves KMS. */
export function headSigner(client: KMSClient, keyId: string): (last: AuditEntry) => Promise<SignedHead> {
  return async ({ incident, seq, hash }) => {
    const { Signature } = await client.send(
      new SignCommand({
        KeyId: keyId,
        Message: headMessage({ incident, seq, hash }),
        MessageType: 'RAW',
        SigningAlgorithm: 'ECDSA_SHA_256',
      }),
    );
    if (Signature === undefined)
      throw new MedicError('KMS answered without a signature', { context: { keyId } });
    const signature = Buffer.from(Signature).toString('base64');
    return {
      version: 1,
      kind: 'signed-head',
      incident,
      seq,
      hash,
      algorithm: 'ECDSA_SHA_256',
      keyId,
      signature,
    };
  };
}
