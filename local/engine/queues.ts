import { randomUUID } from 'node:crypto';
import type { QueuedMessage } from '../cloud/sqs.ts';
import type { Engine } from './engine.ts';
import { type Delivery, deliver } from './events.ts';
import { region } from './intrinsics.ts';
import { isJsonObject, type JsonObject } from './json.ts';

/** What became of the messages that were in a queue: how many were done with, left for another time, or are dead letters now. */
export type Drained = { done: number; left: number; dead: number };

/**
 * Hands the messages of a queue to the function that reads it, in batches, as Lambda does: what the function names as failed, or all
 * where it fails itself, stays in the queue, and goes to the dead letters when it has been taken out too often.
 *
 * @param signal after it, what has not been handed over is left
 */
export async function drainQueue(engine: Engine, queueUrl: string, signal?: AbortSignal): Promise<Drained> {
  const queue = engine.stack.queues.find(({ url }) => url === queueUrl);
  const source = engine.stack.eventSources.find(({ queueArn }) => queueArn === queue?.arn);
  if (queue === undefined || source === undefined) throw new Error(`no function reads the queue ${queueUrl}`);
  const messages = engine.cloud.queues.take(queueUrl);
  const result: Drained = { done: 0, left: 0, dead: 0 };
  for (let from = 0; from < messages.length; from += source.batchSize) {
    const batch = messages.slice(from, from + source.batchSize);
    if (signal?.aborted) {
      for (const message of batch) engine.cloud.queues.put(message);
      result.left += batch.length;
      continue;
    }
    const failed = await failedOf(engine, source.function, queue.arn, batch);
    for (const message of batch) {
      if (!failed.has(message.id)) result.done += 1;
      else if (queue.deadLetters !== undefined && message.receives >= queue.deadLetters.afterReceives) {
        engine.cloud.queues.put({ ...message, queueUrl: queue.deadLetters.url });
        result.dead += 1;
      } else {
        engine.cloud.queues.put(message);
        result.left += 1;
      }
    }
  }
  return result;
}

async function failedOf(
  engine: Engine,
  called: string,
  queueArn: string,
  batch: readonly QueuedMessage[],
): Promise<Set<string>> {
  const all = new Set(batch.map(({ id }) => id));
  try {
    const answer = await engine.functions.invoke(called, {
      Records: batch.map((one) => recordOf(one, queueArn)),
    });
    const failures = isJsonObject(answer) ? answer.batchItemFailures : undefined;
    if (!Array.isArray(failures)) return new Set();
    const ids = failures.map((failure) => (isJsonObject(failure) ? String(failure.itemIdentifier) : ''));
    // One that names no message of the batch fails the whole batch.
    return ids.every((id) => all.has(id)) ? new Set(ids) : all;
  } catch {
    return all;
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html */
function recordOf({ id, body, sentAt, senderId, receives }: QueuedMessage, queueArn: string): JsonObject {
  return {
    messageId: id,
    receiptHandle: randomUUID(),
    body,
    attributes: {
      ApproximateReceiveCount: String(receives),
      SentTimestamp: String(sentAt),
      SenderId: senderId,
      ApproximateFirstReceiveTimestamp: String(sentAt + 1),
    },
    messageAttributes: {},
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: region,
  };
}

/** Gives an event to the rules of the stack, as EventBridge would: to functions, and into queues. */
export function emit(engine: Engine, event: JsonObject): Promise<Delivery[]> {
  return deliver(event, {
    rules: engine.stack.rules,
    async invoke(target, payload) {
      const queue = engine.stack.queues.find(({ arn }) => arn === target);
      if (queue === undefined) return engine.functions.invoke(target, payload);
      return engine.cloud.queues.put({ queueUrl: queue.url, body: JSON.stringify(payload) });
    },
  });
}

/** Gives a message to the queues that have subscribed to a topic, as SNS would; how many there are. */
export function notify(engine: Engine, topicArn: string, message: string): number {
  const subscribed = engine.stack.subscriptions.filter((subscription) => subscription.topicArn === topicArn);
  for (const { queueArn, raw } of subscribed) {
    const queue = engine.stack.queues.find(({ arn }) => arn === queueArn);
    if (queue === undefined) continue;
    const body = raw ? message : JSON.stringify(notification(topicArn, message));
    engine.cloud.queues.put({ queueUrl: queue.url, body });
  }
  return subscribed.length;
}

/** https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html, but for the signature, which nobody checks behind a queue. */
function notification(TopicArn: string, Message: string): JsonObject {
  return {
    Type: 'Notification',
    MessageId: randomUUID(),
    TopicArn,
    Message,
    Timestamp: new Date().toISOString(),
    SignatureVersion: '1',
    Signature: 'local-only',
    SigningCertURL: `https://sns.${region}.amazonaws.com/local-only.pem`,
    UnsubscribeURL: `https://sns.${region}.amazonaws.com/?Action=Unsubscribe`,
  };
}
