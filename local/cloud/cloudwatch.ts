import { isJsonObject, type Json, type JsonObject } from '../engine/json.ts';
import { jsonService, type Service, ServiceError } from './wire.ts';

export type Datum = {
  namespace: string;
  name: string;
  dimensions: Record<string, string>;
  /** Milliseconds since the epoch. */
  at: number;
  /** The value, or of several the average. */
  value: number;
  /** Of several values that were published as one. */
  set?: StatisticSet;
};

type StatisticSet = { count: number; sum: number; min: number; max: number };

/** An alarm on metrics. */
export type MetricAlarm = { AlarmName: string } & JsonObject;

const statistics: Record<string, (sets: StatisticSet[]) => number> = {
  Sum: (sets) => total(sets.map(({ sum }) => sum)),
  Average: (sets) => total(sets.map(({ sum }) => sum)) / total(sets.map(({ count }) => count)),
  Minimum: (sets) => Math.min(...sets.map(({ min }) => min)),
  Maximum: (sets) => Math.max(...sets.map(({ max }) => max)),
  SampleCount: (sets) => total(sets.map(({ count }) => count)),
};

/** CloudWatch: keeps what is published and gives it back, aggregated per period; and what was recorded of a node. */
export function cloudwatchService(
  metrics: Datum[],
  recorded: () => readonly Datum[] = () => [],
  alarms: readonly MetricAlarm[] = [],
): Service {
  return jsonService(
    { name: 'cloudwatch', signingName: 'monitoring', file: 'local/cloud/cloudwatch.ts' },
    {
      PutMetricData({ Namespace, MetricData }) {
        const data = list(MetricData);
        if (typeof Namespace !== 'string' || data.length === 0 || data.length > 1000) {
          throw new ServiceError(
            'InvalidParameterValue',
            'a namespace and between 1 and 1,000 metrics are needed',
          );
        }
        metrics.push(...data.map((datum) => datumOf(Namespace, datum)));
        return {};
      },
      DescribeAlarms({ AlarmNames, AlarmTypes }) {
        const names = Array.isArray(AlarmNames) ? AlarmNames.map(String) : [];
        if (!Array.isArray(AlarmTypes) || AlarmTypes.join() !== 'MetricAlarm' || names.length > 100) {
          throw new ServiceError(
            'InvalidParameterValue',
            'only alarms on metrics are known here, by at most 100 names',
          );
        }
        return {
          MetricAlarms: alarms.filter(({ AlarmName }) => names.includes(AlarmName)),
          CompositeAlarms: [],
        };
      },
      GetMetricData({ MetricDataQueries, StartTime, EndTime, ScanBy }) {
        const window = { from: Number(StartTime) * 1000, to: Number(EndTime) * 1000 };
        const all = [...metrics, ...recorded()];
        const results = list(MetricDataQueries).flatMap((query) => resultsOf(query, all, window));
        if (ScanBy === 'TimestampAscending') for (const result of results) oldestFirst(result);
        return { MetricDataResults: results, Messages: [] };
      },
    },
  );
}

function datumOf(namespace: string, datum: JsonObject): Datum {
  const set = isJsonObject(datum.StatisticValues) ? setOf(datum.StatisticValues) : undefined;
  const value = set === undefined ? datum.Value : set.sum / set.count;
  if (typeof datum.MetricName !== 'string' || typeof value !== 'number' || !Number.isFinite(value)) {
    throw new ServiceError(
      'InvalidParameterValue',
      'each metric needs a MetricName, and a Value or StatisticValues; lists of values are unknown here',
    );
  }
  const at = typeof datum.Timestamp === 'number' ? datum.Timestamp * 1000 : Date.now();
  const base = { namespace, name: datum.MetricName, dimensions: dimensionsOf(datum), at, value };
  return set === undefined ? base : { ...base, set };
}

function setOf({ SampleCount, Sum, Minimum, Maximum }: JsonObject): StatisticSet {
  return { count: Number(SampleCount), sum: Number(Sum), min: Number(Minimum), max: Number(Maximum) };
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** One result for a metric, and one for each metric that a search finds. */
function resultsOf(query: JsonObject, metrics: readonly Datum[], window: Window): JsonObject[] {
  if (typeof query.Expression !== 'string') return [resultOf(query, metrics, window)];
  const search = searchOf(query.Expression);
  const found = metrics.filter(
    ({ namespace, name, dimensions }) =>
      namespace === search.namespace &&
      name === search.filters.MetricName &&
      Object.keys(dimensions).sort().join() === search.dimensions.join() &&
      Object.entries(search.filters).every(
        ([key, value]) => key === 'MetricName' || dimensions[key] === value,
      ),
  );
  const sets = new Map(found.map(({ dimensions }) => [JSON.stringify(dimensions), dimensions]));
  return [...sets.values()].map((dimensions) =>
    resultOf(
      {
        Id: query.Id ?? null,
        MetricStat: {
          Metric: {
            Namespace: search.namespace,
            MetricName: search.filters.MetricName ?? '',
            Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
          },
          Period: search.period,
          Stat: search.statistic,
        },
      },
      metrics,
      window,
    ),
  );
}

type Search = {
  namespace: string;
  dimensions: string[];
  filters: Record<string, string>;
  statistic: string;
  period: number;
};

/** `SEARCH('{NAMESPACE,DIMENSION,…} NAME="VALUE" …', 'STATISTIC', PERIOD)`, and no other expression. */
function searchOf(expression: string): Search {
  const [, schema, terms = '', statistic = '', period = ''] =
    /^SEARCH\('\{([^}]+)\} ([^']*)', '(\w+)', (\d+)\)$/.exec(expression) ?? [];
  if (schema === undefined) {
    throw new ServiceError(
      'ValidationError',
      `the expression ${expression} is unknown here; see local/cloud/cloudwatch.ts`,
    );
  }
  const [namespace = '', ...dimensions] = schema.split(',');
  const filters = Object.fromEntries(
    [...terms.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
  );
  return { namespace, dimensions: dimensions.sort(), filters, statistic, period: Number(period) };
}

function oldestFirst(result: JsonObject): void {
  if (Array.isArray(result.Timestamps)) result.Timestamps.reverse();
  if (Array.isArray(result.Values)) result.Values.reverse();
}

type Window = { from: number; to: number };

function resultOf(query: JsonObject, metrics: readonly Datum[], window: Window): JsonObject {
  const { Id, MetricStat } = query;
  if (!isJsonObject(MetricStat) || !isJsonObject(MetricStat.Metric)) {
    throw new ServiceError(
      'ValidationError',
      `query ${String(Id)}: metric math is unknown here; see local/cloud/cloudwatch.ts`,
    );
  }
  const { Metric, Period, Stat } = MetricStat;
  const statistic = statistics[String(Stat)];
  if (statistic === undefined)
    throw new ServiceError('ValidationError', `statistic ${String(Stat)} is unknown here`);
  const wanted = dimensionsOf(Metric);
  const periodMs = Number(Period) * 1000;
  const buckets = new Map<number, StatisticSet[]>();
  for (const { namespace, name, dimensions, at, value, set } of metrics) {
    if (namespace !== Metric.Namespace || name !== Metric.MetricName || !same(dimensions, wanted)) continue;
    if (at < window.from || at >= window.to) continue;
    const start = Math.floor(at / periodMs) * periodMs;
    const one = set ?? { count: 1, sum: value, min: value, max: value };
    buckets.set(start, [...(buckets.get(start) ?? []), one]);
  }
  // Newest first, as the service does by default.
  const points = [...buckets].sort(([a], [b]) => b - a);
  return {
    Id: Id ?? null,
    Label: String(Metric.MetricName),
    StatusCode: 'Complete',
    Timestamps: points.map(([start]) => start / 1000),
    Values: points.map(([, sets]) => statistic(sets)),
  };
}

function dimensionsOf({ Dimensions }: JsonObject): Record<string, string> {
  return Object.fromEntries(list(Dimensions).map(({ Name, Value }) => [String(Name), String(Value)]));
}

function same(a: Record<string, string>, b: Record<string, string>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

function list(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
