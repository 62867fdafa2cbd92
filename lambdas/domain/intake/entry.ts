import { withoutSecrets } from '../audit/without-secrets.ts';
import type { RawAlarm, SourceId } from './raw-alarm.ts';
import type { Refusal } from './refusal.ts';

/**
 * A line of the audit log about an alarm that has no incident: one that was refused, or one that has ended. Not part of a chain, for
 * there is no incident whose trail it could stand in; the log group keeps it as long as those.
 */
export type IntakeEntry = {
  version: 1;
  kind: 'alarm.refused' | 'alarm.resolved';
  at: string;
  source: SourceId | 'unknown';
  /** Message of the queue, by which its log lines are found. */
  messageId: string;
  what: string;
  reason?: string;
  sender?: string;
  eventId?: string;
  target?: RawAlarm['target'];
  cluster?: string;
};

export type Context = { at: Date; messageId: string; sender?: string };

export function refusedEntry(
  { reason, sentence }: Refusal,
  source: IntakeEntry['source'],
  context: Context,
  alarm?: RawAlarm,
): IntakeEntry {
  return {
    ...base('alarm.refused', source, context),
    what: withoutSecrets(sentence),
    reason,
    ...partsOf(alarm),
  };
}

/** An alarm that has ended closes nothing: whether the node is well, an incident sees for itself. */
export function resolvedEntry(alarm: RawAlarm, context: Context): IntakeEntry {
  const what = withoutSecrets(`the alarm has ended at its source: ${alarm.reason}`);
  return { ...base('alarm.resolved', alarm.source, context), what, ...partsOf(alarm) };
}

function base(kind: IntakeEntry['kind'], source: IntakeEntry['source'], { at, messageId, sender }: Context) {
  return {
    version: 1 as const,
    kind,
    at: at.toISOString(),
    source,
    messageId,
    ...(sender === undefined ? {} : { sender }),
  };
}

function partsOf(alarm: RawAlarm | undefined) {
  if (alarm === undefined) return {};
  const { eventId, target, cluster } = alarm;
  return { eventId, target, ...(cluster === undefined ? {} : { cluster }) };
}
