import * as z from 'zod';
import {
  ClusterName,
  InstanceId,
  NodeName,
  type RawAlarm,
  type Reading,
  reasonText,
  type Source,
} from './raw-alarm.ts';
import { quoted, refusal } from './refusal.ts';
import { isoTime } from './time.ts';

/** Names and values of dimensions: Amazon CloudWatch API Reference, `Dimension`. */
const Dimensions = z.record(z.string().max(255), z.string().max(1024));

const State = z.object({
  value: z.string().max(50),
  reason: z.string().max(4096).default(''),
  reasonData: z.string().max(65_536).optional(),
  timestamp: z.string().max(40),
  actionsSuppressedBy: z.string().max(50).optional(),
});

/**
 * The events "CloudWatch Alarm State Change" and "CloudWatch Alarm Contributor State Change", as far as they are used:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
 */
const Event = z.object({
  'detail-type': z.enum(['CloudWatch Alarm State Change', 'CloudWatch Alarm Contributor State Change']),
  source: z.literal('aws.cloudwatch'),
  id: z.string().min(1).max(256),
  detail: z.object({
    alarmName: z.string().min(1).max(255),
    /** The series of a Metrics Insights query that has changed: its id, and what the query groups by. */
    alarmContributor: z.object({ attributes: Dimensions }).optional(),
    state: State,
    configuration: z.object({
      /** Composite alarms have this, and no metrics. */
      alarmRule: z.string().max(10_240).optional(),
      metrics: z
        .array(
          z.object({
            metricStat: z.object({ metric: z.object({ dimensions: Dimensions.default({}) }) }).optional(),
            expression: z.string().max(10_240).optional(),
          }),
        )
        .max(500)
        .default([]),
    }),
    /** There while a mute rule keeps the alarm from acting. */
    muteDetail: z
      .object({ mutedByArn: z.string().max(2048), muteWindowEnd: z.string().max(40).optional() })
      .optional(),
  }),
});
type Event = z.infer<typeof Event>;

/** The alarms that have brought a composite alarm to its state; the event says no more of them than this. */
const Triggering = z.object({
  triggeringAlarms: z
    .array(z.object({ arn: z.string().max(2048), state: z.object({ value: z.string().max(50) }) }))
    .max(1000),
});

/** Alarms of CloudWatch, by EventBridge: on one metric, on several, one series of a query, or composed of others. */
export const cloudwatch: Source = {
  id: 'cloudwatch',
  // EventBridge tries for 24 hours to deliver an event (its user guide, "Retrying event delivery").
  oldestSeconds: 25 * 3600,
  read(payload): Reading {
    const parsed = Event.safeParse(payload);
    if (!parsed.success) {
      return refused(
        'malformed',
        `this is no alarm state change of CloudWatch: ${z.prettifyError(parsed.error)}`,
      );
    }
    const { detail, id: eventId } = parsed.data;
    const { alarmName, state, configuration, muteDetail } = detail;
    const at = isoTime(state.timestamp);
    if (at === undefined) {
      return refused(
        'malformed',
        `alarm ${quoted(alarmName)} changed at ${quoted(state.timestamp)}, which is no time`,
      );
    }
    const states: Record<string, RawAlarm['state'] | undefined> = { ALARM: 'firing', OK: 'resolved' };
    const known = Object.hasOwn(states, state.value) ? states[state.value] : undefined;
    if (known === undefined) {
      return refused(
        'malformed',
        `alarm ${quoted(alarmName)} is in state ${quoted(state.value)}: only ALARM and OK are taken`,
      );
    }
    if (known === 'firing' && muteDetail !== undefined) {
      const until = muteDetail.muteWindowEnd === undefined ? '' : ` until ${muteDetail.muteWindowEnd}`;
      return refused('muted', `alarm ${quoted(alarmName)} is muted by ${muteDetail.mutedByArn}${until}`);
    }
    if (known === 'firing' && state.actionsSuppressedBy !== undefined) {
      return refused('muted', `alarm ${quoted(alarmName)} is suppressed by ${state.actionsSuppressedBy}`);
    }
    const common = {
      source: 'cloudwatch' as const,
      eventId,
      at,
      state: known,
      reason: reasonText(alarmName, state.reason),
    };
    if (detail.alarmContributor !== undefined)
      return ofDimensions(common, detail.alarmContributor.attributes, alarmName);
    if (configuration.alarmRule !== undefined) return ofComposite(common, detail);
    const dimensions = configuration.metrics.flatMap(({ metricStat }) =>
      metricStat === undefined ? [] : [metricStat.metric.dimensions],
    );
    if (dimensions.length === 0) {
      return refused(
        'comes-apart',
        `alarm ${quoted(alarmName)} sums up the series of a query: each of them comes as a contributor of its own`,
      );
    }
    return ofDimensions(common, merged(dimensions), alarmName);
  },
};

type Common = Omit<RawAlarm, 'target' | 'cluster'>;

/** The dimensions that an alarm on metrics speaks of: those that all of its metrics have with the same value. */
export function merged(sets: readonly Record<string, string>[]): Record<string, string> {
  const [first = {}, ...others] = sets;
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) =>
      others.every((other) => Object.hasOwn(other, name) && other[name] === value),
    ),
  );
}

/** What the dimensions of an alarm name, by the names that EC2, Container Insights and this project give them. */
export function targetOf(
  dimensions: Readonly<Record<string, string>>,
): { target: { instanceId: string } | { nodeName: string }; cluster?: string } | undefined {
  const of = (name: string): string | undefined =>
    Object.hasOwn(dimensions, name) ? dimensions[name] : undefined;
  const instanceId = InstanceId.safeParse(of('InstanceId'));
  const nodeName = NodeName.safeParse(of('NodeName'));
  const cluster = ClusterName.safeParse(of('ClusterName'));
  // A dimension that is there and is no name is a mistake, and not as if it were not there.
  if (of('InstanceId') !== undefined && !instanceId.success) return undefined;
  if (of('ClusterName') !== undefined && !cluster.success) return undefined;
  const named = cluster.success ? { cluster: cluster.data } : {};
  if (instanceId.success) return { target: { instanceId: instanceId.data }, ...named };
  return nodeName.success ? { target: { nodeName: nodeName.data }, ...named } : undefined;
}

function ofDimensions(common: Common, dimensions: Record<string, string>, alarmName: string): Reading {
  const found = targetOf(dimensions);
  if (found !== undefined) return { alarms: [{ ...common, ...found }], refusals: [] };
  const names = Object.entries(dimensions).map(([name, value]) => `${name}=${value}`);
  return refused(
    'no-node',
    `alarm ${quoted(alarmName)} names no node: it needs one dimension InstanceId or NodeName for all of its metrics, and has ${names.join(', ') || 'none'}`,
  );
}

/** One alarm for each of those that have brought the composite one to its state. What they are about, the event does not say. */
function ofComposite(common: Common, { alarmName, state }: Event['detail']): Reading {
  const parsed = Triggering.safeParse(jsonOf(state.reasonData));
  if (!parsed.success) {
    return refused(
      'no-node',
      `the composite alarm ${quoted(alarmName)} does not say which alarms have triggered it`,
    );
  }
  const wanted = common.state === 'firing' ? 'ALARM' : 'OK';
  const children = parsed.data.triggeringAlarms.filter((child) => child.state.value === wanted);
  const names = children.map(
    ({ arn }) => /^arn:[a-z-]+:cloudwatch:[a-z0-9-]+:\d{12}:alarm:(.{1,255})$/.exec(arn)?.[1],
  );
  const known = [...new Set(names.filter((name) => name !== undefined))];
  if (known.length === 0) {
    return refused(
      'no-node',
      `the composite alarm ${quoted(alarmName)} names none that has triggered it and is in ${wanted}`,
    );
  }
  return { alarms: known.map((name) => ({ ...common, target: { alarmName: name } })), refusals: [] };
}

function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

function refused(...because: Parameters<typeof refusal>): Reading {
  return { alarms: [], refusals: [refusal(...because)] };
}
