import { generateKeyPairSync, sign } from 'node:crypto';
import { KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { headSigner } from '../../../lambdas/adapters/head-signer.ts';
import { nextEntry } from '../../../lambdas/domain/audit/entry.ts';
import { verifyTrail } from '../../../lambdas/domain/audit/verify-trail.ts';

const kms = mockClient(KMSClient);
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const publicKey = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const entry = nextEntry(
  undefined,
  { step: 'incident.closed', actor: { kind: 'rule', id: 'x' }, what: 'closed' },
  {
    incident: 'inc',
    cluster: 'prod',
    instanceId: 'i-0123456789abcdef0',
    at: '2026-11-21T06:00:00.000Z',
    key: '0',
    fencing: 1,
    software: '0.1.0',
  },
);

beforeEach(() => {
  kms.reset();
});

describe('headSigner', () => {
  it('makes, with the key it is told, a head that closes the trail', async () => {
    kms.on(SignCommand).callsFake(({ Message, MessageType, SigningAlgorithm }) => {
      expect({ MessageType, SigningAlgorithm }).toEqual({
        MessageType: 'RAW',
        SigningAlgorithm: 'ECDSA_SHA_256',
      });
      return { Signature: sign('sha256', Message, keys.privateKey) };
    });
    const head = await headSigner(new KMSClient({ region: 'us-east-1' }), 'key-1')(entry);

    expect(kms.commandCalls(SignCommand)[0]?.args[0].input.KeyId).toBe('key-1');
    expect(head.keyId).toBe('key-1');
    expect(verifyTrail([entry, head], publicKey)).toEqual({ ok: true, state: 'ok', entries: 1 });
  });

  it('makes no head without a signature', async () => {
    kms.on(SignCommand).resolves({});
    const signing = headSigner(new KMSClient({ region: 'us-east-1' }), 'key-1')(entry);

    await expect(signing).rejects.toThrow('KMS answered without a signature');
  });
});
