import {
  type CloudWatchClient,
  GetMetricDataCommand,
  type MetricDataQuery,
  type MetricDataResult,
} from '@aws-sdk/client-cloudwatch';
import {
  type TrendAnswer,
  type TrendQuery,
  trendHours,
  trendOf,
  trendPeriodSeconds,
  trendQueries,
} from '../domain/around/trend.ts';
import type { AroundProbes } from '../domain/evidence/around-probes.ts';

/** Twelve series of 96 points fit into one page of 100,800; more than a few means that something is wrong. */
const mostPages = 5;

/** The last day of a node, as far as CloudWatch has metrics of it. */
export async function readTrend(
  client: CloudWatchClient,
  { cluster, instanceId, now }: { cluster: string; instanceId: string; now: Date },
): Promise<AroundProbes['trend']> {
  const queries = trendQueries(cluster, instanceId);
  const answers: TrendAnswer[] = [];
  const messages = new Set<string>();
  let next: string | undefined;
  for (let page = 0; page < mostPages; page += 1) {
    const { MetricDataResults, Messages, NextToken } = await client.send(
      new GetMetricDataCommand({
        MetricDataQueries: queries.map(queryOf),
        StartTime: new Date(now.getTime() - trendHours * 3_600_000),
        EndTime: now,
        ScanBy: 'TimestampAscending',
        ...(next === undefined ? {} : { NextToken: next }),
      }),
    );
    next = NextToken;
    for (const result of MetricDataResults ?? []) answers.push(answerOf(result, next !== undefined));
    for (const { Code, Value } of Messages ?? []) messages.add(`${Code}: ${Value}`);
    if (next === undefined) break;
  }
  if (next !== undefined) messages.add(`there are more than ${mostPages} pages of points`);
  return trendOf(queries, answers, [...messages]);
}

function queryOf({ id, metric, search }: TrendQuery): MetricDataQuery {
  if (metric === undefined) return { Id: id, Expression: search ?? '', ReturnData: true };
  const Dimensions = Object.entries(metric.dimensions).map(([Name, Value]) => ({ Name, Value }));
  return {
    Id: id,
    MetricStat: {
      Metric: { Namespace: metric.namespace, MetricName: metric.name, Dimensions },
      Period: trendPeriodSeconds,
      Stat: 'Average',
    },
    ReturnData: true,
  };
}

/** Partial data is what a page that is not the last one has; on the last it is a gap. */
function answerOf(
  { Id, Timestamps, Values, StatusCode, Messages }: MetricDataResult,
  more: boolean,
): TrendAnswer {
  const points = (Timestamps ?? []).flatMap((at, index): [number, number][] => {
    const value = Values?.[index];
    return value === undefined ? [] : [[Math.round(at.getTime() / 1000), value]];
  });
  const whole = StatusCode === 'Complete' || (StatusCode === 'PartialData' && more);
  const said = (Messages ?? []).map(({ Code, Value }) => `${Code}: ${Value}`).join('; ');
  const problem = whole ? said : [`CloudWatch answered ${StatusCode}`, said].filter(Boolean).join(': ');
  return { id: Id ?? '', points, ...(problem === '' ? {} : { problem }) };
}
