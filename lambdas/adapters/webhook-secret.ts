import { createHash, timingSafeEqual } from 'node:crypto';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { MedicError } from './medic-error.ts';

/** How long a secret is kept before it is read again. */
const keptMs = 300_000;
/** A token that does not fit makes it be read again, for it may have been changed; but no more often than this, whoever asks. */
const againMs = 30_000;
/** A shorter secret could be guessed; one that somebody has emptied would let everybody in. */
const shortest = 32;

/** The bearer token of the webhook. Only a hash of it is kept. */
export class WebhookSecret {
  readonly #client: SecretsManagerClient;
  readonly #secretId: string;
  readonly #now: () => number;
  #kept: { hash: Buffer; at: number } | undefined;

  constructor(client: SecretsManagerClient, secretId: string, now: () => number = Date.now) {
    this.#client = client;
    this.#secretId = secretId;
    this.#now = now;
  }

  /**
   * Whether a token is the one of the secret. Compared by their hashes, so that neither time nor length tells how near one is.
   *
   * @throws MedicError where the secret cannot be read, or is none
   */
  async fits(token: string): Promise<boolean> {
    const hash = hashOf(token);
    if (timingSafeEqual(hash, await this.#hash(keptMs))) return true;
    return timingSafeEqual(hash, await this.#hash(againMs));
  }

  async #hash(oldestMs: number): Promise<Buffer> {
    if (this.#kept !== undefined && this.#now() - this.#kept.at < oldestMs) return this.#kept.hash;
    const { SecretString = '' } = await this.#client.send(
      new GetSecretValueCommand({ SecretId: this.#secretId }),
    );
    if (SecretString.length < shortest) {
      throw new MedicError(
        `the secret of the webhook has ${SecretString.length} characters: give it at least ${shortest}, in its current version, as plain text`,
      );
    }
    this.#kept = { hash: hashOf(SecretString), at: this.#now() };
    return this.#kept.hash;
  }
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
