import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { ApprovalReader } from '../adapters/approval-reader.ts';
import { dynamo } from '../adapters/dynamo.ts';
import { count } from '../adapters/embedded-metrics.ts';
import { impatient } from '../adapters/impatient.ts';
import { putInQueue, sqs } from '../adapters/queue.ts';
import { settings } from '../adapters/settings-file.ts';
import { SlackBusyError, SlackClient, SlackRefusedError } from '../adapters/slack-client.ts';
import { slackPostEnvironment } from '../adapters/slack-environment.ts';
import { slackSecrets } from '../adapters/slack-secret.ts';
import { type Posted, SlackStore } from '../adapters/slack-store.ts';
import { Message } from '../domain/message.ts';
import { type Known, postsFor } from '../domain/slack/posts.ts';

/** The event of the queue, and in each record what SNS has put around the message. */
const Event = z.object({ Records: z.array(z.object({ body: z.string() })).min(1) });
const Notification = z.object({ MessageId: z.string().min(1).max(100), Message: z.string() });

/** What Slack asks for at most, here; a longer pause is the queue's, which delivers again. */
const longestPauseSeconds = 20;
const slackMs = 8000;

const logger = new Logger();
const secrets = new SecretsManagerClient(impatient);

/**
 * Posts what people are told to the channel of its cluster: a card with buttons, its reminders, its end, and in the thread what
 * becomes of the incident. No incident waits for it: what cannot be posted is delivered again by the queue, and ends with the
 * dead letters; what Slack refuses for good is put there at once, so that it shows while somebody is still asked. Mail and every
 * other subscriber of the topic get the same messages without it.
 */
export async function handler(event: unknown): Promise<void> {
  for (const { body } of Event.parse(event).Records) {
    try {
      await post(Notification.parse(JSON.parse(body)));
    } catch (error) {
      logger.error('a message could not be posted to Slack', { error });
      count([{ name: 'SlackFailed', value: 1 }]);
      if (!(error instanceof SlackRefusedError && error.isPermanent)) throw error;
      await putInQueue(sqs(), slackPostEnvironment().DEAD_LETTERS, JSON.parse(body));
      count([{ name: 'SlackRefused', value: 1 }]);
    }
  }
}

async function post({ MessageId, Message: text }: z.infer<typeof Notification>): Promise<void> {
  const parsed = Message.safeParse(jsonOf(text));
  logger.resetKeys();
  logger.appendKeys({ messageId: MessageId });
  // Alarms of CloudWatch use the same topic, and are for mail.
  if (!parsed.success) return logger.info('a message that is not about an incident stays out of Slack');
  const message = parsed.data;
  const { clusters } = settings();
  const cluster = message.cluster ?? '';
  const channels = Object.hasOwn(clusters, cluster) ? clusters[cluster]?.slack : undefined;
  if (channels?.channel === undefined) return logger.info('its cluster has no channel', { cluster });

  const now = new Date();
  const { STATE_TABLE, SECRET_ID, SLACK_API_URL } = slackPostEnvironment();
  const store = new SlackStore(dynamo(), STATE_TABLE);
  if (await store.wasTold(MessageId)) return;
  const approvals = new ApprovalReader(dynamo(), STATE_TABLE);
  const { approvalId, incident } = message;
  const known: Known = {
    channel: channels.channel,
    escalationChannel: channels.escalationChannel ?? channels.channel,
    thread: await store.threadOf(incident),
    cards: approvalId === undefined ? [] : await store.cardsOf(approvalId),
    card: message.card ?? (approvalId === undefined ? undefined : await approvals.card(approvalId)),
    pending: approvalId === undefined ? false : (await approvals.get(approvalId))?.status === 'pending',
  };
  const client = new SlackClient((await slackSecrets(secrets, SECRET_ID)).botToken, SLACK_API_URL, slackMs);
  for (const { method, body, card } of postsFor(message, known)) {
    const { channel, ts } = await patiently(() => client.call(method, body)).catch((error: unknown) => {
      // Somebody has taken the card away. Nobody is asked by it any more, and what else there is to tell is told.
      const isGone = error instanceof SlackRefusedError && error.code === 'message_not_found';
      if (!isGone || method !== 'chat.update') throw error;
      logger.warn('a card is not there any more', { incident });
      return { channel: undefined, ts: undefined };
    });
    const posted: Posted | undefined =
      channel === undefined || ts === undefined ? undefined : { channel, ts };
    if (method === 'chat.postMessage' && posted !== undefined) {
      await store.remember(posted, { incident, approvalId: card ? approvalId : undefined }, now);
    }
  }
  await store.setTold(MessageId, now);
}

/** Waits once where Slack says for how long, and that is not long. */
async function patiently<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof SlackBusyError) || error.retryAfterSeconds > longestPauseSeconds) throw error;
    logger.warn('Slack asks for a pause', { seconds: error.retryAfterSeconds });
    await sleep(error.retryAfterSeconds * 1000);
    return call();
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
