import { Duration } from 'aws-cdk-lib';
import {
  Dashboard,
  GraphWidget,
  type IWidget,
  LogQueryVisualizationType,
  LogQueryWidget,
  MathExpression,
  PeriodOverride,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { metricNamespace } from '../../lambdas/domain/around/census-metrics.ts';
import { waitingApprovals } from './audit-queries.ts';

export interface FleetDashboardProps {
  readonly auditLogGroupName: string;
}

const day = Duration.days(1);
const look = Duration.minutes(15);

/** What the fleet looks like, and what the medic does for it. Every graph finds its series by a search, so that a new cluster needs no new graph. */
export class FleetDashboard extends Construct {
  constructor(scope: Construct, id: string, { auditLogGroupName }: FleetDashboardProps) {
    super(scope, id);
    const dashboard = new Dashboard(this, 'Dashboard', {
      defaultInterval: Duration.days(7),
      periodOverride: PeriodOverride.INHERIT,
    });
    dashboard.addWidgets(
      new TextWidget({
        width: 24,
        height: 2,
        markdown:
          '**cgroup-medic** · Zombies are dying memory cgroups, as the census counts them. A line that ends is no good news: the census is silent there, and an alarm says so. The audit log group has every step; its questions are saved in Logs Insights under cgroup-medic.',
      }),
    );
    dashboard.addWidgets(
      graph('Zombies: worst node of each cluster', 'ClusterName', 'DyingCgroups', 'Maximum', look),
      graph('Zombies: sum over each cluster', 'ClusterName', 'DyingCgroups', 'Sum', look),
      graph('Nodes over threshold', 'ClusterName', 'NodesOverThreshold', 'Maximum', look),
    );
    dashboard.addWidgets(
      graph('Causes, by day', 'Cluster,Cause', 'Diagnoses', 'Sum', day),
      graph('Treatments done, by day', 'Cluster,Treatment', 'Treatments', 'Sum', day),
      graph('How incidents ended, by day', 'Cluster,Outcome', 'Incidents', 'Sum', day),
    );
    dashboard.addWidgets(
      graph('From the alarm to the incident, seconds (p90)', 'Cluster', 'SecondsToOpen', 'p90', day),
      graph('From the alarm to the diagnosis, seconds (p90)', 'Cluster', 'SecondsToDiagnose', 'p90', day),
      graph('From the alarm to the cure, seconds (p90)', 'Cluster', 'SecondsToCure', 'p90', day),
    );
    dashboard.addWidgets(
      new LogQueryWidget({
        title: 'Approvals that wait',
        width: 16,
        height: 6,
        view: LogQueryVisualizationType.TABLE,
        logGroupNames: [auditLogGroupName],
        queryString: waitingApprovals,
      }),
      graph('What people decided, by day', 'Cluster,Decision', 'Approvals', 'Sum', day),
    );
    dashboard.addWidgets(
      graph('Breakers: 1 is open', 'Cluster', 'BreakerOpen', 'Maximum', look),
      graph('Nodes that are being disrupted', 'Cluster', 'BudgetHeld', 'Maximum', look),
    );
    dashboard.addWidgets(
      graph('Standing treatments that hold', 'ClusterName', 'StandingTreatments', 'Maximum', look),
      graph('Nodes raised by them, by day', 'ClusterName', 'StandingRaised', 'Sum', day),
      graph('Nodes over their threshold', 'ClusterName', 'StandingOverThreshold', 'Maximum', look),
    );
    dashboard.addWidgets(
      graph('Alarms accepted, by hour', '', 'AlarmsAccepted', 'Sum', Duration.hours(1)),
      graph('Alarms refused, by hour', 'Reason', 'AlarmsRefused', 'Sum', Duration.hours(1)),
      graph('Nodes that answered the census', 'ClusterName', 'NodesAnswered', 'Maximum', look),
    );
  }
}

/** @param dimensions of the metric, separated by commas */
function graph(
  title: string,
  dimensions: string,
  metric: string,
  statistic: string,
  period: Duration,
): IWidget {
  const schema = [metricNamespace, ...(dimensions === '' ? [] : [dimensions])].join(',');
  return new GraphWidget({
    title,
    width: 8,
    height: 6,
    left: [
      new MathExpression({
        expression: `SEARCH('{${schema}} MetricName="${metric}"', '${statistic}', ${period.toSeconds()})`,
        label: '',
        period,
        usingMetrics: {},
      }),
    ],
    leftYAxis: { min: 0, showUnits: false },
  });
}
