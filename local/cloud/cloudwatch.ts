import { isJsonObject, type Json, type JsonObject } from '../engine/json.ts';
import { jsonService, type Service, ServiceError } from './wire.ts';

export type Datum = {
  namespace: string;
  name: string;
  dimensions: Record<string, string>;
  /** Milliseconds since the epoch. */
  at: number;
  value: number;
};

const statistics: Record<string, (values: number[]) => number> = {
  Sum: (values) => values.reduce((sum, value) => sum + value, 0),
  Average: (values) => values.reduce((sum, value) => sum + value, 0) / values.length,
  Minimum: (values) => Math.min(...values),
  Maximum: (values) => Math.max(...values),
  SampleCount: (values) => values.length,
};

/** CloudWatch: keeps what is published and gives it back, aggregated per period. */
export function cloudwatchService(metrics: Datum[]): Service {
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
      GetMetricData({ MetricDataQueries, StartTime, EndTime }) {
        const window = { from: Number(StartTime) * 1000, to: Number(EndTime) * 1000 };
        const results = list(MetricDataQueries).map((query) => resultOf(query, metrics, window));
        return { MetricDataResults: results, Messages: [] };
      },
    },
  );
}

function datumOf(namespace: string, datum: JsonObject): Datum {
  if (typeof datum.MetricName !== 'string' || typeof datum.Value !== 'number') {
    throw new ServiceError(
      'InvalidParameterValue',
      'each metric needs a MetricName and a Value; sets of values are unknown here',
    );
  }
  const at = typeof datum.Timestamp === 'number' ? datum.Timestamp * 1000 : Date.now();
  return { namespace, name: datum.MetricName, dimensions: dimensionsOf(datum), at, value: datum.Value };
}

function resultOf(
  query: JsonObject,
  metrics: readonly Datum[],
  window: { from: number; to: number },
): JsonObject {
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
  const buckets = new Map<number, number[]>();
  for (const { namespace, name, dimensions, at, value } of metrics) {
    if (namespace !== Metric.Namespace || name !== Metric.MetricName || !same(dimensions, wanted)) continue;
    if (at < window.from || at >= window.to) continue;
    const start = Math.floor(at / periodMs) * periodMs;
    buckets.set(start, [...(buckets.get(start) ?? []), value]);
  }
  // Newest first, as the service does by default.
  const points = [...buckets].sort(([a], [b]) => b - a);
  return {
    Id: Id ?? null,
    Label: String(Metric.MetricName),
    StatusCode: 'Complete',
    Timestamps: points.map(([start]) => start / 1000),
    Values: points.map(([, values]) => statistic(values)),
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
