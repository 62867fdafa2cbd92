import { type CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { metricNamespace } from '../domain/around/census-metrics.ts';
import type { Outcome } from '../domain/incident-state.ts';

/** Publishes what one closed incident was: how it ended and how long it took. Two series per cluster and outcome. */
export async function publishIncident(
  client: CloudWatchClient,
  incident: { cluster: string; outcome: Outcome; openedAt: string; closedAt: Date },
): Promise<void> {
  const Dimensions = [
    { Name: 'Cluster', Value: incident.cluster },
    { Name: 'Outcome', Value: incident.outcome },
  ];
  const seconds = (incident.closedAt.getTime() - Date.parse(incident.openedAt)) / 1000;
  await client.send(
    new PutMetricDataCommand({
      Namespace: metricNamespace,
      MetricData: [
        { MetricName: 'Incidents', Dimensions, Timestamp: incident.closedAt, Unit: 'Count', Value: 1 },
        {
          MetricName: 'IncidentSeconds',
          Dimensions,
          Timestamp: incident.closedAt,
          Unit: 'Seconds',
          Value: seconds,
        },
      ],
    }),
  );
}
