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
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { metricNamespace } from '../../lambdas/domain/around/census-metrics.ts';

export interface PipelineAlarmsProps {
  readonly clusters: readonly string[];
  readonly stateMachine: IStateMachine;
  /** Queues of what could not be worked on, by what they are of. That of the janitor has an alarm of its own. */
  readonly deadLetters: Readonly<Record<string, IQueue>>;
  /** Minutes between two looks of the census, by cluster, where there is one. */
  readonly censusMinutes: Readonly<Record<string, number>>;
  /** Clusters in which forgotten cordons are looked for. */
  readonly swept: readonly string[];
  readonly action: IAlarmAction;
}

/** What becomes of a lost message, where its queue is none that it could be moved back into. */
const afterwards: Readonly<Record<string, string>> = {
  intake:
    'start the incident by hand (npm run remediate) and delete the message: nothing can be moved back into the queue of alarms',
  sweeper: 'delete the message: the next look for forgotten cordons comes within a quarter of an hour',
};
/** How many approvals of a cluster may expire in a day before people have to be asked whether they see them at all. */
const expiredApprovals = 3;
/** How many alarms may be refused in an hour: one that is misdirected comes once, a source that is set up wrongly again and again. */
const refusedAlarms = 10;

/**
 * Alarms on the medic itself: what is lost, what failed, what nobody answers, and what has fallen silent. They have no name of their own, so
 * that none begins like the alarms that open incidents.
 */
export class PipelineAlarms extends Construct {
  private readonly action: IAlarmAction;

  constructor(scope: Construct, id: string, props: PipelineAlarmsProps) {
    super(scope, id);
    const { clusters, stateMachine, deadLetters, censusMinutes, swept, action } = props;
    this.action = action;
    for (const [what, queue] of Object.entries(deadLetters)) this.lost(what, queue);
    this.failed(stateMachine);
    this.refused();
    for (const cluster of clusters) {
      this.expired(cluster);
      this.broken(cluster);
    }
    for (const cluster of swept) this.forgotten(cluster);
    for (const [cluster, minutes] of Object.entries(censusMinutes)) this.silent(cluster, minutes);
  }

  private lost(what: string, queue: IQueue): void {
    this.alarm(`Lost-${what}`, {
      alarmDescription: `cgroup-medic could not work on a message of the ${what}, and has put it into the dead-letter queue ${queue.queueName}. Read it there (it says what it was, and the log of the function why it failed), mend that, then ${afterwards[what] ?? 'redrive the queue'}.`,
      metric: queue.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1) }),
      threshold: 1,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }

  private failed(stateMachine: IStateMachine): void {
    const period = Duration.minutes(5);
    this.alarm('Failed', {
      alarmDescription:
        'An incident of cgroup-medic did not come to its own end: its execution failed, was stopped or timed out. The janitor undoes, gives the lease back and calls a person; its message names the node. Read the audit trail of the incident, and look at the node.',
      metric: new MathExpression({
        expression: 'failed + aborted + timedOut',
        label: 'executions that did not end themselves',
        period,
        usingMetrics: {
          failed: stateMachine.metricFailed({ period, statistic: 'Sum' }),
          aborted: stateMachine.metricAborted({ period, statistic: 'Sum' }),
          timedOut: stateMachine.metricTimedOut({ period, statistic: 'Sum' }),
        },
      }),
      threshold: 1,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }

  private refused(): void {
    this.alarm('Refused', {
      alarmDescription: `More than ${refusedAlarms} alarms in an hour were refused by cgroup-medic: no incident was opened for them. The dimension Reason of the metric AlarmsRefused says why, the audit log group which; a source of alarms is set up wrongly, or somebody tries.`,
      metric: new MathExpression({
        // The reasons are a short list, but not one that an alarm could add up: a query can.
        expression: `SELECT SUM(AlarmsRefused) FROM SCHEMA("${metricNamespace}", Reason)`,
        label: 'alarms refused',
        period: Duration.hours(1),
        usingMetrics: {},
      }),
      threshold: refusedAlarms,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }

  private expired(cluster: string): void {
    this.alarm(`Expired-${cluster}`, {
      alarmDescription: `${expiredApprovals} or more approvals for nodes of ${cluster} expired within a day: nobody answers. See whether the people still get the messages (the subscriptions of the notification topic), give approvals more time (clusters.${cluster}.approval.expirySeconds), or let the policy decide what is always approved.`,
      metric: new Metric({
        namespace: metricNamespace,
        metricName: 'Incidents',
        dimensionsMap: { Cluster: cluster, Outcome: 'expired' },
        statistic: 'Sum',
        period: Duration.days(1),
      }),
      threshold: expiredApprovals,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }

  private broken(cluster: string): void {
    this.alarm(`Broken-${cluster}`, {
      alarmDescription: `Treatments did not help on several nodes of ${cluster} within a short time, so cgroup-medic does nothing more there: its breaker is open. Read the incidents that the audit entries breaker.changed and gated name; docs/gates.md says when it tries again, and how you close it.`,
      metric: new Metric({
        namespace: metricNamespace,
        metricName: 'BreakerOpen',
        dimensionsMap: { Cluster: cluster },
        statistic: 'Maximum',
        period: Duration.minutes(5),
      }),
      threshold: 1,
      evaluationPeriods: 1,
      // It is published when a gate asks and when it changes: until then it is what it was.
      treatMissingData: TreatMissingData.IGNORE,
    });
  }

  private forgotten(cluster: string): void {
    this.alarm(`Forgotten-${cluster}`, {
      alarmDescription: `A node of ${cluster} has a cordon of cgroup-medic, or what is left of one, and no incident comes back for it; the message about it names node and incident. Look why, and take it back: docs/replacing.md says how.`,
      metric: new Metric({
        namespace: metricNamespace,
        metricName: 'ForgottenCordons',
        dimensionsMap: { Cluster: cluster },
        statistic: 'Maximum',
        period: Duration.minutes(30),
      }),
      threshold: 1,
      evaluationPeriods: 1,
      // A sweep that fails says nothing of its cordons, and has an alarm of its own.
      treatMissingData: TreatMissingData.IGNORE,
    });
  }

  private silent(cluster: string, minutes: number): void {
    this.alarm(`Silent-${cluster}`, {
      alarmDescription: `The census has looked at no node of ${cluster} for three periods of ${minutes} minutes: what leaks there now is seen by nobody. Look at the schedule, at the log of census-start, and at the dead-letter queue of the census.`,
      metric: new Metric({
        namespace: metricNamespace,
        metricName: 'CensusRuns',
        dimensionsMap: { ClusterName: cluster },
        statistic: 'Sum',
        period: Duration.minutes(minutes),
      }),
      threshold: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: 3,
      // No figure is the very thing that this alarm is about.
      treatMissingData: TreatMissingData.BREACHING,
    });
  }

  private alarm(id: string, props: AlarmProps): void {
    new Alarm(this, id, {
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      ...props,
    }).addAlarmAction(this.action);
  }
}
