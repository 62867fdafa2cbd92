import { createHash } from 'node:crypto';
import type { Alarm } from '../alarm.ts';
import type { RawAlarm } from './raw-alarm.ts';

/** A raw alarm whose node is known: which instance it is, and to which cluster that belongs. */
export type Located = { alarm: RawAlarm; instanceId: string; cluster: string };

/**
 * The alarm that an incident begins with. The same event gives the same, whenever it is read: Step Functions then takes a
 * repetition for the one that is running.
 */
export function alarmOf({ alarm, instanceId, cluster }: Located): Alarm {
  return {
    source: alarm.source,
    id: alarm.eventId,
    at: alarm.at,
    cluster,
    instanceId,
    reason: alarm.reason,
    ...(alarm.standing === undefined ? {} : { standing: alarm.standing }),
    ...(alarm.requestedBy === undefined ? {} : { requestedBy: alarm.requestedBy }),
  };
}

/**
 * The name of the execution: the instance, and a digest of the event with the time of its state change. Step Functions gives a
 * name once in 90 days, so the same alarm starts one incident. Another source that sees the same starts another one, which
 * the lease of the node stops.
 */
export function executionName({ alarm, instanceId }: Located): string {
  const { source, eventId, at } = alarm;
  const digest = createHash('sha256')
    .update(JSON.stringify([source, eventId, at]))
    .digest('hex');
  return `${instanceId}-${digest.slice(0, 32)}`;
}
