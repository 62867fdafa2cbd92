import { type CloudWatchClient, DescribeAlarmsCommand, type Dimension } from '@aws-sdk/client-cloudwatch';
import type { AlarmDimensions } from '../domain/intake/composite.ts';

/** The most names that DescribeAlarms takes: Amazon CloudWatch API Reference. */
const mostNames = 100;

/** What alarms on metrics are about, by their names. Composite alarms, and names that there are not, are left out. */
export async function dimensionsOfAlarms(
  client: CloudWatchClient,
  names: readonly string[],
): Promise<AlarmDimensions> {
  const found = new Map<string, Record<string, string>[]>();
  for (let from = 0; from < names.length; from += mostNames) {
    const { MetricAlarms = [] } = await client.send(
      new DescribeAlarmsCommand({
        AlarmNames: names.slice(from, from + mostNames),
        AlarmTypes: ['MetricAlarm'],
        MaxRecords: mostNames,
      }),
    );
    for (const { AlarmName, MetricName, Dimensions = [], Metrics = [] } of MetricAlarms) {
      if (AlarmName === undefined) continue;
      const sets = Metrics.flatMap(({ MetricStat }) =>
        MetricStat === undefined ? [] : [recordOf(MetricStat.Metric?.Dimensions ?? [])],
      );
      found.set(AlarmName, MetricName === undefined ? sets : [recordOf(Dimensions), ...sets]);
    }
  }
  return found;
}

function recordOf(dimensions: readonly Dimension[]): Record<string, string> {
  return Object.fromEntries(dimensions.map(({ Name = '', Value = '' }) => [Name, Value]));
}
