import { merged, targetOf } from './cloudwatch.ts';
import type { NodeAlarm } from './locate.ts';
import type { RawAlarm } from './raw-alarm.ts';
import { quoted, type Refusal, refusal } from './refusal.ts';

/** The dimensions of each metric of an alarm, by the name of the alarm. */
export type AlarmDimensions = ReadonlyMap<string, readonly Record<string, string>[]>;

/** The alarms that these are about: a composite alarm names those that have triggered it, and says no more of them. */
export function alarmNames(alarms: readonly RawAlarm[]): string[] {
  return [...new Set(alarms.flatMap(({ target }) => ('alarmName' in target ? [target.alarmName] : [])))];
}

/** The node that an alarm is about: as it says, or as the alarm that it is about does, which CloudWatch was asked for. */
export function aboutNode(alarm: RawAlarm, known: AlarmDimensions): NodeAlarm | Refusal {
  const { target } = alarm;
  if (!('alarmName' in target)) return { ...alarm, target };
  const name = quoted(target.alarmName);
  const sets = known.get(target.alarmName);
  if (sets === undefined) {
    return refusal(
      'no-node',
      `the alarm ${name}, which a composite one names, is no alarm on metrics of this account and region`,
    );
  }
  const found = targetOf(merged(sets));
  if (found !== undefined) return { ...alarm, ...found };
  return refusal(
    'no-node',
    `the alarm ${name}, which a composite one names, names no node: it needs one dimension InstanceId or NodeName for all of its metrics`,
  );
}
