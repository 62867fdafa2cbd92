import type { Logger } from '@aws-lambda-powertools/logger';
import { SNSClient } from '@aws-sdk/client-sns';
import { ApprovalReader } from '../adapters/approval-reader.ts';
import { dynamo } from '../adapters/dynamo.ts';
import { environment } from '../adapters/environment.ts';
import { publish } from '../adapters/notifier.ts';
import type { Approval } from '../domain/approval/approval.ts';
import { settledMessage } from '../domain/approval/messages.ts';
import type { IncidentState } from '../domain/incident-state.ts';

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

/** Who approved something that is not done after all, and who saw that they had, should see it too. The record stays as it was decided. */
export async function tellVoid(
  approval: IncidentState['approval'],
  now: Date,
  logger: Pick<Logger, 'error'>,
): Promise<void> {
  if (approval?.decision !== 'void') return;
  const { id: approvalId, reason = 'the node has moved on' } = approval;
  try {
    const record = await new ApprovalReader(dynamo(), environment().STATE_TABLE).get(approvalId);
    if (record?.status !== 'approved') return;
    const by = record.decisions.map(({ person }) => person).join(', ');
    const why = `approved by ${by}, and not done: ${reason}`;
    await publish(
      sns,
      environment().NOTIFY_TOPIC_ARN,
      settledMessage({ ...record, status: 'void' }, why, now),
    );
  } catch (error) {
    logger.error('nobody could be told that an approval is void', { error, approvalId });
  }
}
