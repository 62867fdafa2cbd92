import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { WebhookSecret } from '../../../lambdas/adapters/webhook-secret.ts';

const mock = mockClient(SecretsManagerClient);
const first = 'a'.repeat(48);
const second = 'b'.repeat(48);
let now = 0;
let secret: WebhookSecret;
beforeEach(() => {
  mock.reset();
  now = 1_000_000;
  secret = new WebhookSecret(new SecretsManagerClient({ region: 'us-east-1' }), 'arn:of-it', () => now);
});

const is = (SecretString: string) =>
  mock.on(GetSecretValueCommand, { SecretId: 'arn:of-it' }).resolves({ SecretString });
const reads = () => mock.commandCalls(GetSecretValueCommand).length;

describe('the token of the webhook', () => {
  it('is the whole secret, and nothing else', async () => {
    is(first);
    expect(await secret.fits(first)).toBe(true);
    for (const other of ['', first.slice(1), `${first}a`, first.toUpperCase(), second, `${first}\0`]) {
      expect(await secret.fits(other), JSON.stringify(other)).toBe(false);
    }
  });

  it('is read once in five minutes', async () => {
    is(first);
    await secret.fits(first);
    now += 299_000;
    await secret.fits(first);
    expect(reads()).toBe(1);
    now += 1000;
    await secret.fits(first);
    expect(reads()).toBe(2);
  });

  it('is taken as soon as it has been changed, and the old one no longer once it was read', async () => {
    is(first);
    await secret.fits(first);
    is(second);
    now += 30_000;
    expect(await secret.fits(second)).toBe(true);
    expect(await secret.fits(first)).toBe(false);
  });

  it('is not read again for every wrong token: whoever knocks does not decide how often', async () => {
    is(first);
    for (let attempt = 0; attempt < 100; attempt += 1) {
      now += 290;
      expect(await secret.fits(`guess ${attempt}`)).toBe(false);
    }
    expect(reads()).toBe(1);
  });

  it.each(['', 'changeme', 'x'.repeat(31)])(
    'lets nobody in where it is "%s", which could be guessed',
    async (short) => {
      is(short);
      await expect(secret.fits(short)).rejects.toThrow(`has ${short.length} characters`);
    },
  );

  it('lets nobody in where it cannot be read', async () => {
    mock.on(GetSecretValueCommand).rejects(new Error('AccessDenied'));
    await expect(secret.fits('')).rejects.toThrow('AccessDenied');
  });
});
