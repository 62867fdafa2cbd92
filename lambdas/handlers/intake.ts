import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { SFNClient } from '@aws-sdk/client-sfn';
import * as z from 'zod';
import { dimensionsOfAlarms } from '../adapters/alarm-dimensions.ts';
import { AuditLog } from '../adapters/audit-log.ts';
import { count } from '../adapters/embedded-metrics.ts';
import { startIncident } from '../adapters/executions.ts';
import { intakeEnvironment } from '../adapters/intake-environment.ts';
import { settings } from '../adapters/settings-file.ts';
import { type AlarmDimensions, aboutNode, alarmNames } from '../domain/intake/composite.ts';
import { type Context, type IntakeEntry, refusedEntry, resolvedEntry } from '../domain/intake/entry.ts';
import { alarmOf, executionName, type Located } from '../domain/intake/execution.ts';
import { locate, type NodeAlarm } from '../domain/intake/locate.ts';
import { intakePace } from '../domain/intake/pace.ts';
import type { RawAlarm, SourceId } from '../domain/intake/raw-alarm.ts';
import { readMessage } from '../domain/intake/read-message.ts';
import type { IntakeReason, Refusal } from '../domain/intake/refusal.ts';
import { knownInstances } from './known-instances.ts';

/** One message of a queue, as Lambda hands it over. */
const Message = z.object({
  messageId: z.string(),
  body: z.string(),
  attributes: z.object({ SentTimestamp: z.string(), SenderId: z.string().optional() }),
  eventSourceARN: z.string(),
});
type Message = z.infer<typeof Message>;

const Event = z.object({ Records: z.array(Message) });

/** The messages that Lambda is to leave in the queue. */
export type BatchResponse = { batchItemFailures: { itemIdentifier: string }[] };

/** What is known of one message so far. */
type Taken = {
  message: Message;
  context: Context;
  source: SourceId | 'unknown';
  alarms: RawAlarm[];
  refused: { refusal: Refusal; alarm?: RawAlarm }[];
};

const logger = new Logger();
const sfn = new SFNClient({});
const cloudwatch = new CloudWatchClient({});
const logs = new CloudWatchLogsClient({});

/**
 * Takes alarms out of the queues: reads each, finds its node, and starts its incident. What can never become one is refused at once,
 * and its refusal counted, logged and written into the audit log. What fails for a reason that may pass stays in the queue: SQS hands it
 * over again, and then to the dead letters. Every step can be done twice.
 */
export async function handler(event: unknown): Promise<BatchResponse> {
  const { Records } = Event.parse(event);
  // A full batch is one of many, and no alarm in it has to wait for this.
  const pace = Records.length < intakePace.batch ? undefined : sleep(intakePace.batchSeconds * 1000);
  const taken = Records.map(take);
  const all = settings();
  const clusters = Object.keys(all.clusters);
  const failed = new Set<string>();
  const leave = (messages: readonly Taken[], error: unknown): void => {
    for (const { message, source } of messages) {
      failed.add(message.messageId);
      logger.error('the alarm stays in the queue', { messageId: message.messageId, source, error });
    }
  };

  const located = new Map<Taken, Located[]>();
  /** Messages of which a part starts, and the rest has to be read again. */
  const unfinished = new Map<Taken, unknown>();
  const firing = taken.filter(({ alarms }) => alarms.some(({ state }) => state === 'firing'));
  const about = await aboutNodes(firing, leave);
  try {
    const { instances, unanswered } = await knownInstances([...about.values()].flat(), all);
    for (const [one, alarms] of about) {
      const open = alarms.find((alarm) => unanswered.has(alarm));
      if (open !== undefined) unfinished.set(one, unanswered.get(open));
      const nodes = alarms
        .filter((alarm) => !unanswered.has(alarm))
        .map((alarm) => ({ alarm, node: locate(alarm, instances, clusters) }));
      located.set(
        one,
        nodes.flatMap(({ node }) => ('sentence' in node ? [] : [node])),
      );
      for (const { alarm, node } of nodes) if ('sentence' in node) one.refused.push({ refusal: node, alarm });
    }
  } catch (error) {
    leave([...about.keys()], error);
  }

  const counts = { accepted: 0, resolved: 0, known: 0, refused: new Map<IntakeReason, number>() };
  for (const one of taken) {
    if (failed.has(one.message.messageId)) continue;
    try {
      const became = await Promise.all((located.get(one) ?? []).map((node) => start(node, one)));
      for (const what of became) counts[what] += 1;
      if (unfinished.has(one)) {
        leave([one], unfinished.get(one));
        continue;
      }
      counts.resolved += await record(one);
      for (const {
        refusal: { reason },
      } of one.refused) {
        counts.refused.set(reason, (counts.refused.get(reason) ?? 0) + 1);
      }
    } catch (error) {
      leave([one], error);
    }
  }
  count([
    ...(counts.accepted > 0 ? [{ name: 'AlarmsAccepted', value: counts.accepted }] : []),
    ...(counts.known > 0 ? [{ name: 'AlarmsRepeated', value: counts.known }] : []),
    ...(counts.resolved > 0 ? [{ name: 'AlarmsResolved', value: counts.resolved }] : []),
    ...[...counts.refused].map(([Reason, value]) => ({
      name: 'AlarmsRefused',
      value,
      dimensions: { Reason },
    })),
  ]);
  await pace;
  return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) };
}

function take(message: Message): Taken {
  const { ALARM_QUEUE_ARN, BY_HAND_QUEUE_ARN, AMP_TOPIC_ARN } = intakeEnvironment();
  const { messageId, body, attributes, eventSourceARN } = message;
  const { SenderId, SentTimestamp } = attributes;
  const now = new Date();
  const rules: Record<string, readonly SourceId[]> = {
    [ALARM_QUEUE_ARN]: ['cloudwatch', 'amp', 'alertmanager', 'census'],
    [BY_HAND_QUEUE_ARN]: ['by-hand'],
  };
  const sender = SenderId === undefined ? {} : { senderId: SenderId };
  const { source, alarms, refusals } = readMessage(
    body,
    { messageId, sentAt: new Date(Number(SentTimestamp)), ...sender },
    { sources: rules[eventSourceARN] ?? [], ampTopicArn: AMP_TOPIC_ARN },
    now,
  );
  return {
    message,
    context: { at: now, messageId, ...(SenderId === undefined ? {} : { sender: SenderId }) },
    source,
    alarms,
    refused: refusals.map((because) => ({ refusal: because })),
  };
}

/**
 * The firing alarms of these messages, each about a node: what composite ones name is looked up, for all messages at once. Messages
 * for which that failed are left, and not in the answer.
 */
async function aboutNodes(
  messages: readonly Taken[],
  leave: (messages: readonly Taken[], error: unknown) => void,
): Promise<Map<Taken, NodeAlarm[]>> {
  const firing = messages.map((one) => ({
    one,
    alarms: one.alarms.filter(({ state }) => state === 'firing'),
  }));
  const composite = firing.filter(({ alarms }) => alarmNames(alarms).length > 0);
  let known: AlarmDimensions | undefined = new Map();
  if (composite.length > 0) {
    try {
      known = await dimensionsOfAlarms(cloudwatch, alarmNames(composite.flatMap(({ alarms }) => alarms)));
    } catch (error) {
      known = undefined;
      leave(
        composite.map(({ one }) => one),
        error,
      );
    }
  }
  const about = new Map<Taken, NodeAlarm[]>();
  for (const { one, alarms } of firing) {
    if (known === undefined && alarmNames(alarms).length > 0) continue;
    const nodes: NodeAlarm[] = [];
    for (const alarm of alarms) {
      const node = aboutNode(alarm, known ?? new Map());
      if ('sentence' in node) one.refused.push({ refusal: node, alarm });
      else nodes.push(node);
    }
    about.set(one, nodes);
  }
  return about;
}

async function start(node: Located, { message }: Taken): Promise<'accepted' | 'known'> {
  const { STATE_MACHINE_ARN } = intakeEnvironment();
  const name = executionName(node);
  const became = await startIncident(sfn, STATE_MACHINE_ARN, name, alarmOf(node));
  const { alarm, instanceId, cluster } = node;
  const { source, eventId, at } = alarm;
  logger.info(became === 'started' ? 'an incident was started' : 'the alarm is known already', {
    incident: name,
    messageId: message.messageId,
    source,
    eventId,
    at,
    instanceId,
    cluster,
  });
  return became === 'started' ? 'accepted' : 'known';
}

/** Writes down what came to no incident; how many of these were alarms that have ended. */
async function record({ context, source, alarms, refused }: Taken): Promise<number> {
  const resolved = alarms
    .filter(({ state }) => state === 'resolved')
    .map((alarm) => resolvedEntry(alarm, context));
  const entries: IntakeEntry[] = [
    ...refused.map(({ refusal: because, alarm }) => refusedEntry(because, source, context, alarm)),
    ...resolved,
  ];
  for (const { kind, ...details } of entries) {
    if (kind === 'alarm.refused') logger.warn('an alarm was refused', details);
    else logger.info('an alarm has ended', details);
  }
  if (entries.length > 0) {
    const log = new AuditLog(logs, intakeEnvironment().AUDIT_LOG_GROUP);
    // In one call: a route that sends groups of foreign alerts must not take the time in which the others of the batch start.
    await log.write(`alarms-${context.at.toISOString().slice(0, 10)}`, ...entries);
  }
  return resolved.length;
}
