import type * as z from 'zod';
import type { Probe } from '../evidence/probe.ts';
import { SeriesName, type Trend } from '../evidence/trend.ts';
import { type CensusMetric, censusMetrics, insightsMetrics, metricNamespace } from './census-metrics.ts';
import { failed, notHere } from './read.ts';

/** How far back a trend reaches. */
export const trendHours = 24;
/** 96 points over a day, as often as a census looks; a series has at most 500. */
export const trendPeriodSeconds = 900;

/** One question to CloudWatch: a metric with all its dimensions, or a search where one of them is not known. */
export type TrendQuery = {
  id: string;
  series: SeriesName;
  scale: number;
  metric?: { namespace: string; name: string; dimensions: Readonly<Record<string, string>> };
  search?: string;
};

/** The points of one question, as CloudWatch answered it. */
export type TrendAnswer = {
  id: string;
  /** [seconds since 1970, value] */
  points: [number, number][];
  /** Why these may not be all of them. */
  problem?: string;
};

/**
 * The questions for the trend of a node. Metrics of Container Insights have the node's name among their dimensions, and
 * that is not known of a node whose API server is not asked: they are searched by instance.
 */
export function trendQueries(cluster: string, instanceId: string): TrendQuery[] {
  const dimensions = { ClusterName: cluster, InstanceId: instanceId };
  const own = entriesOf(censusMetrics).map(([series, { metric, scale }]) => ({
    id: `own_${series}`,
    series,
    scale,
    metric: { namespace: metricNamespace, name: metric, dimensions },
  }));
  const insights = entriesOf(insightsMetrics).map(([series, { metric, scale }]) => ({
    id: `insights_${series}`,
    series,
    scale,
    search: `SEARCH('{ContainerInsights,ClusterName,InstanceId,NodeName} MetricName="${metric}" ClusterName="${cluster}" InstanceId="${instanceId}"', 'Average', ${trendPeriodSeconds})`,
  }));
  return [...own, ...insights];
}

/** The trend from what CloudWatch answered; the census comes first where both have a series. */
export function trendOf(
  queries: readonly TrendQuery[],
  answers: readonly TrendAnswer[],
  problems: readonly string[] = [],
): Probe<z.infer<typeof Trend>> {
  const series: z.infer<typeof Trend>['series'] = {};
  const notRead: Record<string, string> = {};
  for (const { id, series: name, scale } of queries) {
    const parts = answers.filter((answer) => answer.id === id);
    const points = ordered(parts.flatMap((answer) => answer.points)).map(([at, value]): [number, number] => [
      at,
      rounded(value * scale),
    ]);
    const problem = parts.find((answer) => answer.problem !== undefined)?.problem;
    if (problem !== undefined) notRead[name] = problem.slice(0, 500);
    if (points.length > 0) series[name] ??= { source: 'cloudwatch', points, perDay: null, course: null };
  }
  if (problems.length > 0) notRead.messages = problems.join('; ').slice(0, 500);
  const found = Object.keys(series);
  if (found.length === 0) {
    return problems.length > 0 || Object.keys(notRead).length > 0
      ? failed(`CloudWatch gave no metrics of this node: ${Object.values(notRead).join('; ')}`)
      : notHere(
          `CloudWatch has no metrics of this node in the last ${trendHours} h, neither in ${metricNamespace} nor in ContainerInsights`,
        );
  }
  const asked = SeriesName.options.filter((name) => queries.some((query) => query.series === name));
  const unpublished = asked.filter((name) => series[name] === undefined && notRead[name] === undefined);
  if (unpublished.length > 0) notRead.unpublished = `CloudWatch has no points of ${unpublished.join(', ')}`;
  return { status: 'ok', value: { series, workload: null, notRead } };
}

/** Oldest first, one at a time, and no more than a series may have. */
function ordered(points: readonly [number, number][]): [number, number][] {
  const byTime = new Map(points.filter(([at, value]) => at >= 0 && Number.isFinite(value)));
  return [...byTime].sort(([a], [b]) => a - b).slice(-500);
}

/** Four figures are more than a slope needs. */
function rounded(value: number): number {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(4));
}

function entriesOf(metrics: Partial<Record<SeriesName, CensusMetric>>): [SeriesName, CensusMetric][] {
  return SeriesName.options.flatMap((name): [SeriesName, CensusMetric][] => {
    const metric = metrics[name];
    return metric === undefined ? [] : [[name, metric]];
  });
}
