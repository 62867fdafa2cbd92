import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  type AlarmProps,
  ComparisonOperator,
  type IAlarmAction,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { metricNamespace } from '../../lambdas/domain/around/census-metrics.ts';
import type { Thresholds } from '../../lambdas/domain/thresholds.ts';

export interface ClusterAlarmsProps {
  readonly cluster: string;
  readonly thresholds: Pick<Thresholds, 'dyingCount' | 'dyingPerDay'>;
  /** Minutes between two looks of the census. @default - there is none, and no alarm on what it publishes */
  readonly censusMinutes?: number;
  /** Whether the cluster publishes to Container Insights. */
  readonly containerInsights: boolean;
  readonly action: IAlarmAction;
}

/** Share of the nodes, in percent, that may not answer the census: some are always just coming or going. */
const silentPercent = 20;
/** Of the memory of a node, in percent of it all, for half an hour: the kubelet of EKS evicts when 100 MiB are left. */
const usedPercent = 95;

/**
 * Alarms that tell people about one cluster. They open no incident (the census raises the nodes itself, one by one), so they have no name
 * that begins like those that do.
 */
export class ClusterAlarms extends Construct {
  private readonly cluster: string;
  private readonly action: IAlarmAction;

  constructor(scope: Construct, id: string, props: ClusterAlarmsProps) {
    super(scope, id);
    this.cluster = props.cluster;
    this.action = props.action;
    if (props.censusMinutes !== undefined) this.watchCensus(props.thresholds, props.censusMinutes);
    if (props.containerInsights) this.watchInsights();
  }

  private watchCensus({ dyingCount, dyingPerDay }: ClusterAlarmsProps['thresholds'], minutes: number): void {
    const { cluster } = this;
    const own = (metricName: string, statistic: string, period: Duration): Metric =>
      new Metric({
        namespace: metricNamespace,
        metricName,
        dimensionsMap: { ClusterName: cluster },
        statistic,
        period,
      });
    const look = Duration.minutes(minutes);
    this.alarm('Dying', {
      alarmDescription: `A node of ${cluster} has had ${dyingCount} or more dying memory cgroups in two looks of the census. The census opens an incident for the worst nodes: see what became of them in the dashboard. Where the mode is observe, the incident says what would be done; where nodes are held back, raise clusters.${cluster}.census.raiseAtMost.`,
      metric: own('DyingCgroups', 'Maximum', look),
      threshold: dyingCount,
      evaluationPeriods: 2,
    });
    const period = Duration.hours(Math.max(1, Math.ceil(minutes / 60)));
    this.alarm('Growth', {
      alarmDescription: `The dying memory cgroups of the average node of ${cluster} have grown for six hours, by ${dyingPerDay} a day or more: something that runs on every node makes them. Diagnose any node (its incident names the producer) and stop that in the image or the DaemonSet; freeing them node by node does not keep up.`,
      metric: new MathExpression({
        expression: 'RATE(average) * 86400',
        label: 'dying cgroups per node and day',
        period,
        usingMetrics: { average: own('DyingCgroups', 'Average', period) },
      }),
      threshold: dyingPerDay,
      evaluationPeriods: 6,
    });
    this.alarm('Unanswered', {
      alarmDescription: `${silentPercent} % or more of the nodes of ${cluster} have not answered three looks of the census: nobody knows how they are. Look at the state of the SSM agent on them (aws ssm describe-instance-information), at the role of the nodes (AmazonSSMManagedInstanceCore) and at the tag eks:cluster-name.`,
      metric: new MathExpression({
        expression: '100 * (nodes - answered) / nodes',
        label: 'percent of nodes that did not answer',
        period: look,
        usingMetrics: {
          nodes: own('Nodes', 'Maximum', look),
          answered: own('NodesAnswered', 'Maximum', look),
        },
      }),
      threshold: silentPercent,
      evaluationPeriods: 3,
    });
  }

  /** Metrics and dimensions: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-EKS.html */
  private watchInsights(): void {
    const { cluster } = this;
    const insights = (metricName: string): Metric =>
      new Metric({
        namespace: 'ContainerInsights',
        metricName,
        dimensionsMap: { ClusterName: cluster },
        statistic: 'Maximum',
        period: Duration.minutes(5),
      });
    this.alarm('FailedNodes', {
      alarmDescription: `A node of ${cluster} has had a bad condition (NotReady, memory, disk or PID pressure) for a quarter of an hour. Find it with kubectl get nodes, and start an incident for it by hand: what it says before it is replaced is lost afterwards.`,
      metric: insights('cluster_failed_node_count'),
      threshold: 1,
      evaluationPeriods: 3,
    });
    this.alarm('Memory', {
      alarmDescription: `A node of ${cluster} has used ${usedPercent} % or more of its memory for half an hour, and is near eviction. Find it in Container Insights, and start an incident for it by hand: it says whether workloads, the kubelet or dying cgroups hold it.`,
      metric: insights('node_memory_utilization'),
      threshold: usedPercent,
      evaluationPeriods: 6,
    });
  }

  private alarm(
    id: string,
    props: Pick<AlarmProps, 'alarmDescription' | 'metric' | 'threshold' | 'evaluationPeriods'>,
  ): void {
    new Alarm(this, id, {
      ...props,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      // A census that is silent has an alarm of its own.
      treatMissingData: TreatMissingData.MISSING,
    }).addAlarmAction(this.action);
  }
}
