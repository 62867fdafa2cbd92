import { metricNamespace } from '../domain/around/census-metrics.ts';

export type Count = { name: string; value: number; dimensions?: Readonly<Record<string, string>> };
/** One figure, with the unit that CloudWatch shows it in. */
export type EmbeddedFigure = { metric: string; unit: string; value: number };

/** CloudWatch makes metrics of at most so many figures of one line. */
const perLine = 100;

/**
 * Figures that share their dimensions, as a line that CloudWatch Logs makes metrics of: no call that could fail, or cost by the call, as
 * every refusal at a public address would. Written past `console`, which Lambda would wrap: the object has to be the whole line.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 *
 * @param now milliseconds since the epoch
 */
export function embed(
  dimensions: Readonly<Record<string, string>>,
  figures: readonly EmbeddedFigure[],
  now = Date.now(),
): void {
  for (let from = 0; from < figures.length; from += perLine) {
    const some = figures.slice(from, from + perLine);
    const line = {
      _aws: {
        Timestamp: now,
        CloudWatchMetrics: [
          {
            Namespace: metricNamespace,
            Dimensions: [Object.keys(dimensions)],
            Metrics: some.map(({ metric, unit }) => ({ Name: metric, Unit: unit })),
          },
        ],
      },
      ...dimensions,
      ...Object.fromEntries(some.map(({ metric, value }) => [metric, value])),
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}

/** Counts, each with dimensions of its own. */
export function count(counts: readonly Count[], now = Date.now()): void {
  for (const { name, value, dimensions = {} } of counts) {
    embed(dimensions, [{ metric: name, unit: 'Count', value }], now);
  }
}
