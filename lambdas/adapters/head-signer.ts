import { type KMSClient, SignCommand } from '@aws-sdk/client-kms';
import type { AuditEntry } from '../domain/audit/entry.ts';
import { headMessage, type SignedHead } from '../domain/audit/signed-head.ts';
import { MedicError } from './medic-error.ts';

/** Signs the last entry of an incident with the deployment's key; the private half never leaves KMS. */
export function headSigner(client: KMSClient, keyId: string): (last: AuditEntry) => Promise<SignedHead> {
  return async ({ incident, seq, hash }) => {
    const head = { version: 2, incident, seq, hash, keyId } as const;
    const { Signature } = await client.send(
      new SignCommand({
        KeyId: keyId,
        Message: headMessage(head),
        MessageType: 'RAW',
        SigningAlgorithm: 'ECDSA_SHA_256',
      }),
    );
    if (Signature === undefined)
      throw new MedicError('KMS answered without a signature', { context: { keyId } });
    const signature = Buffer.from(Signature).toString('base64');
    return { ...head, kind: 'signed-head', algorithm: 'ECDSA_SHA_256', signature };
  };
}
