/**
 * Base of every error of this project: a sentence for the reader, the cause, and the data in a field of its own. A class made
 * of it says its `name` in words, for the bundles shorten the names of classes, and logs and Step Functions show it.
 */
export class MedicError extends Error {
  override readonly name: string = 'MedicError';
  readonly context: Record<string, unknown>;

  constructor(message: string, options: { cause?: unknown; context?: Record<string, unknown> } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.context = options.context ?? {};
  }
}
