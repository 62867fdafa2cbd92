import type { Logger } from '@aws-lambda-powertools/logger';
import { SNSClient } from '@aws-sdk/client-sns';
import { environment } from '../adapters/environment.ts';
import { publish } from '../adapters/notifier.ts';
import type { Approval } from '../domain/approval/approval.ts';
import { settledMessage } from '../domain/approval/messages.ts';

const sns = new SNSClient({});

/** Who sees the card should see how it ended. A message that fails takes nothing from what was decided. */
export async function tellSettled(
  settled: Approval,
  reason: string | undefined,
  now: Date,
  logger: Pick<Logger, 'error'>,
): Promise<void> {
  try {
    await publish(sns, environment().NOTIFY_TOPIC_ARN, settledMessage(settled, reason, now));
  } catch (error) {
    logger.error('nobody could be told how the approval ended', { error, approvalId: settled.id });
  }
}
