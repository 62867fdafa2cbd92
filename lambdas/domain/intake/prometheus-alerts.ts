import * as z from 'zod';
import { digestOf } from '../canonical-json.ts';
import { ClusterName, InstanceId, NodeName, type RawAlarm, type Reading, reasonText } from './raw-alarm.ts';
import { quoted, type Refusal, refusal } from './refusal.ts';
import { isoTime } from './time.ts';

/** More alerts than this in one group are refused, each counted: `group_by: [cluster, node]` makes groups of a few. */
const mostAlerts = 100;

const Labels = z.record(z.string().max(200), z.string().max(2000));
const Alert = z.object({
  status: z.enum(['firing', 'resolved']),
  labels: Labels,
  annotations: z.record(z.string().max(200), z.string().max(10_000)).default({}),
  startsAt: z.string().max(60),
  endsAt: z.string().max(60).optional(),
  fingerprint: z
    .string()
    .regex(/^[0-9a-zA-Z]{1,64}$/)
    .optional(),
});

/** The part of a notification of an Alertmanager in which all senders agree. */
const Group = z.object({
  alerts: z.array(z.unknown()).max(10_000),
  /** How many the Alertmanager has left out, by its `max_alerts`. */
  truncatedAlerts: z.int().nonnegative().default(0),
});

/** One alarm for each alert of a group, or a refusal in its place. */
export function readAlerts(source: 'amp' | 'alertmanager', payload: unknown): Reading {
  const group = Group.safeParse(payload);
  if (!group.success) {
    const sentence = `this is no group of alerts: ${z.prettifyError(group.error)}`;
    return { alarms: [], refusals: [refusal('malformed', sentence)] };
  }
  const { alerts, truncatedAlerts } = group.data;
  const readings = alerts.slice(0, mostAlerts).map((alert) => readAlert(source, alert));
  const alarms = readings.flatMap((reading) =>
    'reason' in reading && 'sentence' in reading ? [] : [reading],
  );
  const refusals = readings.flatMap((reading) => ('sentence' in reading ? [reading] : []));
  if (alerts.length === 0) refusals.push(refusal('malformed', 'the group holds no alert'));
  const left = Math.max(0, alerts.length - mostAlerts) + truncatedAlerts;
  if (left > 0) {
    refusals.push(
      refusal(
        'too-many',
        `${left} alerts of one group were left out: set group_by: [cluster, node] on the route, so that each node has a group of its own`,
      ),
    );
  }
  return { alarms, refusals };
}

function readAlert(source: 'amp' | 'alertmanager', raw: unknown): RawAlarm | Refusal {
  const parsed = Alert.safeParse(raw);
  if (!parsed.success) return refusal('malformed', `this is no alert: ${z.prettifyError(parsed.error)}`);
  const { status, labels, annotations, startsAt, endsAt, fingerprint } = parsed.data;
  const label = (name: string): string | undefined =>
    Object.hasOwn(labels, name) && labels[name] !== '' ? labels[name] : undefined;
  const name = quoted(label('alertname') ?? 'without a name');
  if (label('cgroup_medic') !== 'true') {
    return refusal(
      'not-for-us',
      `alert ${name} has no label cgroup_medic="true": it is not for this receiver`,
    );
  }
  const severity = label('severity') ?? 'none';
  if (severity !== 'warning' && severity !== 'critical') {
    return refusal(
      'not-for-us',
      `alert ${name} has severity ${quoted(severity)}: warning and critical open an incident, all others are for people`,
    );
  }
  const at = isoTime(status === 'firing' ? startsAt : (endsAt ?? ''));
  const began = isoTime(startsAt);
  if (at === undefined || began === undefined) {
    return refusal(
      'malformed',
      `alert ${name} began at ${quoted(startsAt)} and ended at ${quoted(endsAt ?? '')}: one is no time`,
    );
  }
  const target = targetOf(label('instance_id'), label('node'));
  if (target === undefined) {
    return refusal(
      'no-node',
      `alert ${name} names no node: its label node is ${quoted(label('node') ?? '')}`,
    );
  }
  const cluster = label('cluster');
  if (cluster !== undefined && !ClusterName.safeParse(cluster).success) {
    return refusal(
      'unknown-cluster',
      `alert ${name} is of cluster ${quoted(cluster)}, which is no name of an EKS cluster`,
    );
  }
  return {
    source,
    // An alert goes on under the same fingerprint; what makes it another one is when it began.
    eventId: `${fingerprint ?? digestOf(labels).slice(0, 32)}@${began}`,
    at,
    state: status,
    target,
    ...(cluster === undefined ? {} : { cluster }),
    reason: reasonText(
      label('alertname'),
      annotations.summary ?? annotations.description ?? label('cgroup_medic_cause'),
    ),
  };
}

function targetOf(
  instanceId: string | undefined,
  nodeName: string | undefined,
): { instanceId: string } | { nodeName: string } | undefined {
  if (instanceId !== undefined) return InstanceId.safeParse(instanceId).success ? { instanceId } : undefined;
  return nodeName !== undefined && NodeName.safeParse(nodeName).success ? { nodeName } : undefined;
}

/** How long an alert may have been firing: names of executions, by which repetitions are known, are kept for 90 days. */
export const oldestAlertSeconds = 80 * 86_400;
