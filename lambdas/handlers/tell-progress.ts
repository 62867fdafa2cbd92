import { SNSClient } from '@aws-sdk/client-sns';
import { environment } from '../adapters/environment.ts';
import { publish } from '../adapters/notifier.ts';
import type { Message } from '../domain/message.ts';
import type { PhaseContext } from './phase.ts';

const sns = new SNSClient({});

/** Tells those who follow the incident in Slack. Where nobody does, or it fails, the incident goes on all the same. */
export async function tellProgress(
  message: Omit<Message, 'version'> | undefined,
  { settings, logger }: PhaseContext,
): Promise<void> {
  if (message === undefined || !settings.slack.enabled) return;
  try {
    await publish(sns, environment().NOTIFY_TOPIC_ARN, message);
  } catch (error) {
    logger.error('nobody could be told how the incident goes on', { error });
  }
}
