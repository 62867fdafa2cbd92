import { metricNamespace } from '../domain/around/census-metrics.ts';

export type Count = { name: string; value: number; dimensions?: Readonly<Record<string, string>> };

/**
 * Counts, as lines that CloudWatch Logs makes metrics of: no call that could fail, or cost by the call, as every refusal at a public
 * address would. Written past `console`, which Lambda would wrap: the object has to be the whole line.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function count(counts: readonly Count[], now = Date.now()): void {
  for (const { name, value, dimensions = {} } of counts) {
    const line = {
      _aws: {
        Timestamp: now,
        CloudWatchMetrics: [
          {
            Namespace: metricNamespace,
            Dimensions: [Object.keys(dimensions)],
            Metrics: [{ Name: name, Unit: 'Count' }],
          },
        ],
      },
      ...dimensions,
      [name]: value,
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}
