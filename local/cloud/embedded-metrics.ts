import type { Datum } from './cloudwatch.ts';

/**
 * What CloudWatch Logs makes of a line in the embedded metric format: one datum for each metric of each set of dimensions.
 * A line that is not in it makes none; one that is and lacks a value or a dimension is an error, where the service would
 * drop it and say so in a metric of its own.
 */
export function embeddedData(line: string): Datum[] {
  if (!line.startsWith('{"_aws"')) return [];
  const { _aws: about, ...values } = JSON.parse(line);
  const at = Number(about.Timestamp);
  return about.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }: Directive) =>
    Dimensions.flatMap((names) =>
      Metrics.map(({ Name }) => {
        const value = values[Name];
        if (typeof value !== 'number') throw new Error(`embedded metric ${Name} has no value: ${line}`);
        const dimensions = Object.fromEntries(names.map((name) => [name, String(values[name])]));
        return { namespace: Namespace, name: Name, dimensions, at, value };
      }),
    ),
  );
}

type Directive = { Namespace: string; Dimensions: string[][]; Metrics: { Name: string; Unit: string }[] };
