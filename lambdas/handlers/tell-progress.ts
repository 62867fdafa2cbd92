import { SNSClient } from '@aws-sdk/client-sns';
import { environment } from '../adapters/environment.ts';
import { publish } from '../adapters/notifier.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import type { Message } from '../domain/message.ts';
import type { PhaseContext } from './phase.ts';
import { maySpeakSingly } from './roll.ts';

const sns = new SNSClient({});

/**
 * Tells those who follow the incident in Slack; of many incidents of one cause, only the first are followed. Where nobody follows
 * it, or it fails, the incident goes on all the same.
 */
export async function tellProgress(
  state: IncidentState,
  message: Omit<Message, 'version'> | undefined,
  context: PhaseContext,
): Promise<void> {
  const { settings, logger } = context;
  if (message === undefined || !settings.slack.enabled) return;
  try {
    if (!(await maySpeakSingly(state, 'progress', context)).may) return;
    await publish(sns, environment().NOTIFY_TOPIC_ARN, message);
  } catch (error) {
    logger.error('nobody could be told how the incident goes on', { error });
  }
}
