import type { Settings } from '../../lambdas/domain/settings.ts';
import { type PriceName, prices } from './prices.ts';

export type Usage = Partial<Record<PriceName, number>>;
export type Line = {
  service: string;
  what: string;
  units: number;
  usd: number;
  asOf: string;
  source: string;
};
export type Estimate = { usdPerMonth: number; byService: Record<string, number>; lines: Line[] };

/** Hours of a month, as AWS counts them. */
const hours = 730;
const gb = 1_000_000_000;
/** Of all functions: cdk/constructs/medic-function.ts. */
const memoryGb = 0.25;

/**
 * What one incident uses, rounded up. Counted in `npm start` on a recorded node: one that was denied called functions 50 times and
 * wrote 31 audit entries of 1 KB; one that is treated and watched for ten minutes comes to nearly twice of both. A function that is called takes
 * a second there, of a slow machine. Each call enters two or three states, and renews the lease; each entry is put, read back and marked.
 */
const incident = {
  calls: 90,
  secondsPerCall: 1,
  transitions: 250,
  entries: 60,
  logBytes: 400_000,
  metricSeries: 11,
  metricsAskedFor: 60,
  messages: 3,
} as const;

/**
 * What one look of the census uses: a call that sends, and one for every fifty nodes at each of some looks at the answers. The
 * figures of a node are a line in a log.
 */
const look = { readsPerFiftyNodes: 3, secondsPerRead: 8, clusterMetrics: 9, logBytesPerNode: 450 } as const;

/**
 * What a deployment uses in a month.
 *
 * @param fleet nodes and incidents a month, shared equally by the clusters of the settings
 */
export function usageOf(
  settings: Settings,
  { nodes, incidents }: { nodes: number; incidents: number },
): Usage {
  const clusters = Object.values(settings.clusters);
  const { emails } = settings.notify;
  const usage: Usage = {};
  const add = (name: PriceName, units: number): void => {
    usage[name] = (usage[name] ?? 0) + units;
  };

  add('lambdaRequest', incidents * incident.calls);
  add('lambdaGbSecond', incidents * incident.calls * incident.secondsPerCall * memoryGb);
  add('transition', incidents * incident.transitions);
  // An entry of a KB and a bit is two units to put and two to mark; a lease is one to renew.
  add('dynamoWrite', incidents * (incident.entries * 4 + incident.calls));
  add('dynamoRead', incidents * (incident.entries * 2 + incident.calls));
  add('logGb', (incidents * incident.logBytes) / gb);
  // A metric is paid by the hour in which something is published.
  add('metric', (incidents * incident.metricSeries) / hours);
  add('putMetric', incidents);
  add('getMetric', incidents * incident.metricsAskedFor);
  add('snsPublish', incidents * incident.messages);
  add('snsMail', incidents * incident.messages * emails.length);
  add('kmsSign', incidents);
  add('trace', incidents);
  // From the source through the queue.
  add('sqsRequest', incidents * 4);
  // What is kept, once it is as old as it gets.
  const months = settings.audit.retentionDays / 30;
  add('dynamoGbMonth', (incidents * incident.entries * 1200 * months) / gb);
  add('logGbMonth', (incidents * (incident.entries * 1200 * months + incident.logBytes * 3)) / gb);

  for (const { census, alarms } of clusters) {
    const there = nodes / clusters.length;
    add('metricAlarm', 1 + (alarms.containerInsights ? 2 : 0));
    if (!census.enabled) continue;
    const looks = (hours * 60) / census.everyMinutes;
    const reads = Math.ceil(there / 50) * look.readsPerFiftyNodes;
    add('schedule', looks);
    add('lambdaRequest', looks * (1 + reads));
    add('lambdaGbSecond', looks * (2 + reads * look.secondsPerRead) * memoryGb);
    add('sqsRequest', looks * reads * 3);
    add('metric', there * census.nodeMetrics.length + look.clusterMetrics);
    add('putMetric', looks);
    add('logGb', (looks * there * look.logBytesPerNode) / gb);
    // Silent, worst node, growth, and the two figures of nodes that do not answer.
    add('metricAlarm', 5);
    // Event sources ask an empty queue about four times a minute with each of five connections.
    add('sqsRequest', hours * 60 * 20);
  }
  // Three dead-letter queues, three figures of executions, and a query over the reasons of refusals.
  add('metricAlarm', 3 + 3 + 14);
  add('sqsRequest', 2 * hours * 60 * 20);
  add('dashboard', 1);
  add('kmsKey', 1);
  if (settings.intake.webhook.enabled) add('secret', 1);
  return usage;
}

/** The bill for a usage: every line with where its price is from. */
export function estimate(usage: Usage): Estimate {
  const lines = Object.entries(usage).map(([name, units]): Line => {
    const { service, what, usd, per, asOf, source } = prices[name as PriceName];
    return { service, what, units, usd: (units / per) * usd, asOf, source };
  });
  const byService: Record<string, number> = {};
  for (const { service, usd } of lines) byService[service] = (byService[service] ?? 0) + usd;
  return { usdPerMonth: lines.reduce((sum, { usd }) => sum + usd, 0), byService, lines };
}
