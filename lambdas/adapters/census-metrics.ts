import { type CloudWatchClient, type MetricDatum, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { metricNamespace } from '../domain/around/census-metrics.ts';
import type { ClusterFigures } from '../domain/census/cluster-figures.ts';

/** CloudWatch takes a thousand metrics in one call, and 1 MB. */
const perCall = 1000;

/** What one run found of a whole cluster. */
export async function publishCluster(
  client: CloudWatchClient,
  cluster: string,
  { counts, dying }: ClusterFigures,
  at: Date,
): Promise<void> {
  const base = {
    Dimensions: [{ Name: 'ClusterName', Value: cluster }],
    Timestamp: at,
    Unit: 'Count',
  } satisfies Partial<MetricDatum>;
  const data: MetricDatum[] = Object.entries(counts).map(([MetricName, Value]) => ({
    ...base,
    MetricName,
    Value,
  }));
  if (dying !== undefined) {
    const { nodes, sum, min, max } = dying;
    data.push({
      ...base,
      MetricName: 'DyingCgroups',
      StatisticValues: { SampleCount: nodes, Sum: sum, Minimum: min, Maximum: max },
    });
  }
  await publish(client, data);
}

async function publish(client: CloudWatchClient, data: readonly MetricDatum[]): Promise<void> {
  for (let from = 0; from < data.length; from += perCall) {
    await client.send(
      new PutMetricDataCommand({ Namespace: metricNamespace, MetricData: data.slice(from, from + perCall) }),
    );
  }
}
