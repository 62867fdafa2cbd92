import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { JsonObject } from '../engine/json.ts';
import type { TemplateKey } from '../engine/template.ts';
import { jsonService, type Service, ServiceError } from './wire.ts';

export type LocalKey = { id: string; arn: string; privateKey: KeyObject; publicKeyPem: string };

/** One fresh P-256 key for every signing key of the template; it lives as long as this process. */
export function makeKeys(keys: readonly TemplateKey[]): LocalKey[] {
  return keys
    .filter(({ spec }) => spec === 'ECC_NIST_P256')
    .map(({ id, arn }) => {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return {
        id,
        arn,
        privateKey,
        publicKeyPem: String(publicKey.export({ type: 'spki', format: 'pem' })),
      };
    });
}

/** KMS: signs with those keys. */
export function kmsService(keys: readonly LocalKey[]): Service {
  const keyOf = ({ KeyId }: JsonObject): LocalKey => {
    const key = keys.find(({ id, arn }) => id === KeyId || arn === KeyId);
    if (key === undefined)
      throw new ServiceError('NotFoundException', `Key '${String(KeyId)}' does not exist`);
    return key;
  };
  return jsonService(
    { name: 'kms', file: 'local/cloud/kms.ts' },
    {
      Sign(input) {
        const key = keyOf(input);
        const { Message, MessageType = 'RAW', SigningAlgorithm } = input;
        if (SigningAlgorithm !== 'ECDSA_SHA_256') {
          throw new ServiceError(
            'InvalidKeyUsageException',
            `${String(SigningAlgorithm)} does not fit a P-256 key`,
          );
        }
        const message = Buffer.from(String(Message), 'base64');
        if (MessageType !== 'RAW' || message.length > 4096) {
          throw new ServiceError(
            'ValidationException',
            'only messages of type RAW with at most 4,096 bytes are taken here',
          );
        }
        return {
          KeyId: key.arn,
          Signature: sign('sha256', message, key.privateKey).toString('base64'),
          SigningAlgorithm,
        };
      },
      GetPublicKey(input) {
        const key = keyOf(input);
        const der = createPublicKey(key.publicKeyPem).export({ type: 'spki', format: 'der' });
        return {
          KeyId: key.arn,
          KeySpec: 'ECC_NIST_P256',
          KeyUsage: 'SIGN_VERIFY',
          PublicKey: der.toString('base64'),
          SigningAlgorithms: ['ECDSA_SHA_256'],
        };
      },
    },
  );
}
