import type { Logger } from '@aws-lambda-powertools/logger';
import { SendTaskSuccessCommand, type SFNClient } from '@aws-sdk/client-sfn';

/** Wakes an execution that waits for a decision. A token that cannot be used any more is no error: the record is the truth. */
export async function wake(
  client: SFNClient,
  token: string | undefined,
  logger: Pick<Logger, 'warn'>,
): Promise<void> {
  if (token === undefined)
    return logger.warn('the approval has no task token; the wait ends by its time-out');
  try {
    await client.send(new SendTaskSuccessCommand({ taskToken: token, output: '{}' }));
  } catch (error) {
    const name = error instanceof Error ? error.name : 'unknown error';
    // Only its name: the error of the service repeats what it was given.
    logger.warn('the execution could not be woken; the wait ends by its time-out, and obeys the record', {
      reason: name,
    });
  }
}
