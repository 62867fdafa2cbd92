import * as z from 'zod';
import { sources } from './index.ts';
import { type Delivery, type RawAlarm, type Reading, type SourceId, sourceIds } from './raw-alarm.ts';
import { quoted, type Refusal, refusal } from './refusal.ts';

/** More alarms than this in one message are refused: a composite alarm can name as many. */
const mostAlarms = 100;
/** Largest body of a message, in bytes: what Alertmanager, SNS and EventBridge send at most is 256 KiB. */
const largestBody = 262_144;
/** Seconds by which the clock of a source may be ahead. */
const aheadSeconds = 600;

/** What this project's own functions and people send. */
const Envelope = z.object({ source: z.string().max(50), payload: z.unknown() });
/** What SNS sends to a queue: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html */
const Notification = z.object({
  Type: z.literal('Notification'),
  TopicArn: z.string().max(512),
  Message: z.string(),
});
/** What EventBridge sends to a queue: the event itself. */
const Event = z.looseObject({ 'detail-type': z.string().max(200), source: z.string().max(200) });

export type QueueRules = {
  /** The sources that may write to this queue; others that are in it were put there by somebody who may not be them. */
  sources: readonly SourceId[];
  /** The topic that Amazon Managed Prometheus publishes to. */
  ampTopicArn: string;
};

/** What one message of a queue comes to: its alarms, and a refusal for everything else in it. Never throws. */
export function readMessage(
  body: string,
  delivery: Delivery,
  { sources: allowed, ampTopicArn }: QueueRules,
  now: Date,
): Reading & { source: SourceId | 'unknown' } {
  const none = (...because: Parameters<typeof refusal>) => ({
    source: 'unknown' as const,
    alarms: [],
    refusals: [refusal(...because)],
  });
  const bytes = Buffer.byteLength(body);
  if (bytes > largestBody)
    return none('oversized', `the message has ${bytes} bytes: at most ${largestBody} are taken`);
  let message: unknown;
  try {
    message = JSON.parse(body);
  } catch {
    return none('malformed', `the message is no JSON: it begins with ${quoted(body)}`);
  }
  const opened = open(message, ampTopicArn);
  if ('sentence' in opened) return { ...none('malformed', ''), refusals: [opened] };
  const source = sources.find(({ id }) => id === opened.source);
  if (source === undefined) {
    return none(
      'unknown-source',
      `there is no source ${quoted(opened.source)}: there are ${sourceIds.join(', ')}`,
    );
  }
  if (!allowed.includes(source.id)) {
    return {
      ...none(
        'forged',
        `an alarm of ${source.id} came by the queue of ${allowed.join(', ')}, sent by ${delivery.senderId ?? 'nobody'}`,
      ),
      source: source.id,
    };
  }
  const reading = source.read(opened.payload, delivery);
  const alarms = reading.alarms.slice(0, mostAlarms);
  const left = reading.alarms.length - alarms.length;
  const refusals = [...reading.refusals];
  if (left > 0)
    refusals.push(
      refusal('too-many', `${left} alarms of one message were left out: at most ${mostAlarms} are taken`),
    );
  const timely: RawAlarm[] = [];
  for (const alarm of alarms) {
    const late = outOfTime(alarm, source.oldestSeconds, now);
    if (late === undefined) timely.push(alarm);
    else refusals.push(late);
  }
  return { source: source.id, alarms: timely, refusals };
}

/** Source and payload of a message, in whichever of its forms it came. */
function open(message: unknown, ampTopicArn: string): { source: string; payload: unknown } | Refusal {
  const notification = Notification.safeParse(message);
  if (notification.success) {
    const { TopicArn, Message } = notification.data;
    return TopicArn === ampTopicArn
      ? { source: 'amp', payload: Message }
      : refusal(
          'forged',
          `a notification of the topic ${quoted(TopicArn)}, which is not that of Amazon Managed Prometheus`,
        );
  }
  if (Event.safeParse(message).success) return { source: 'cloudwatch', payload: message };
  const envelope = Envelope.safeParse(message);
  if (envelope.success) return { source: envelope.data.source, payload: envelope.data.payload };
  return refusal(
    'malformed',
    'the message is neither an event of EventBridge, nor a notification of SNS, nor { source, payload }',
  );
}

function outOfTime({ at, source, state }: RawAlarm, oldestSeconds: number, now: Date): Refusal | undefined {
  const age = (now.getTime() - Date.parse(at)) / 1000;
  if (age < -aheadSeconds) return refusal('stale', `an alarm of ${source} at ${at}, which is still to come`);
  if (age <= oldestSeconds || state === 'resolved') return undefined;
  return refusal(
    'stale',
    `an alarm of ${source} at ${at}: at most ${oldestSeconds} seconds old ones are taken`,
  );
}
