import { type CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { metricNamespace } from '../domain/around/census-metrics.ts';
import type { Figure } from '../domain/incident-figures.ts';

/** Publishes what one closed incident was. */
export async function publishIncident(
  client: CloudWatchClient,
  figures: readonly Figure[],
  closedAt: Date,
): Promise<void> {
  await client.send(
    new PutMetricDataCommand({
      Namespace: metricNamespace,
      MetricData: figures.map(({ metric, unit, value, dimensions }) => ({
        MetricName: metric,
        Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
        Timestamp: closedAt,
        Unit: unit,
        Value: value,
      })),
    }),
  );
}
