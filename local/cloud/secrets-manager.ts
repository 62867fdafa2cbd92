import { randomBytes } from 'node:crypto';
import { jsonService, type Service, ServiceError } from './wire.ts';

/** Secrets Manager: a fresh secret for every one that the template has made up; it lives as long as this process. */
export class LocalSecrets {
  readonly #values: Map<string, string>;

  constructor(secrets: readonly { arn: string }[]) {
    this.#values = new Map(secrets.map(({ arn }) => [arn, randomBytes(24).toString('hex')]));
  }

  value(arn: string): string {
    const value = this.#values.get(arn);
    if (value === undefined) {
      throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    }
    return value;
  }

  /** Gives a secret another value, as its owner would. */
  put(arn: string, value: string): void {
    this.#values.set(arn, value);
  }

  service(): Service {
    return jsonService(
      { name: 'secretsmanager', file: 'local/cloud/secrets-manager.ts' },
      {
        GetSecretValue: ({ SecretId }) => {
          const arn = String(SecretId);
          return { ARN: arn, Name: arn.split(':').at(-1) ?? arn, SecretString: this.value(arn) };
        },
      },
    );
  }
}
