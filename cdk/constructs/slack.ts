import { CfnOutput, Duration, Validations } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IAlarmAction,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Grant } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping, FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { metricNamespace } from '../../lambdas/domain/around/census-metrics.ts';
import type { Settings } from '../../lambdas/domain/settings.ts';
import { MedicFunction } from './medic-function.ts';
import type { Notifications } from './notifications.ts';
import type { StateTable } from './state-table.ts';

export interface SlackProps {
  readonly settings: Settings;
  readonly notifications: Notifications;
  readonly stateTable: StateTable;
  /** Takes the decisions. */
  readonly decide: MedicFunction;
  readonly action: IAlarmAction;
}

/** A post may wait for Slack as long as it asks for, and a little. */
const postTimeout = Duration.minutes(1);

/** The door in Slack: cards go out by a queue of their own, and clicks come in at a public address, signed by Slack. */
export class Slack extends Construct {
  constructor(scope: Construct, id: string, props: SlackProps) {
    super(scope, id);
    const { settings, notifications, stateTable, decide, action } = props;
    const secret = new Secret(this, 'Secret', {
      description: 'Signing secret and bot token of the Slack app of cgroup-medic, as docs/slack.md says',
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'Both secrets are made by Slack, at the press of a button there; no function could rotate them. docs/slack.md says how to change them without a gap.',
    });
    const environment = {
      STATE_TABLE: stateTable.tableName,
      SECRET_ID: secret.secretArn,
      POWERTOOLS_SERVICE_NAME: 'cgroup-medic',
      NODE_OPTIONS: '--enable-source-maps',
    };
    const inbound = new MedicFunction(this, 'slack', {
      name: 'slack',
      description: 'Takes clicks from Slack: verifies them, finds the person, gives their decision to decide',
      settings,
      timeout: Duration.seconds(10),
      reservedConcurrency: settings.slack.reservedConcurrency,
      environment: { ...environment, DECIDE_FUNCTION: decide.functionName },
    });
    Grant.addToPrincipal({
      grantee: inbound,
      actions: ['lambda:InvokeFunction'],
      resourceArns: decide.resourceArnsForGrantInvoke,
    });
    stateTable.grantReadPut(inbound);
    const url = inbound.addFunctionUrl({ authType: FunctionUrlAuthType.NONE });

    const deadLetters = this.queue('DeadLetters', { retentionPeriod: Duration.days(14) });
    const posts = this.queue('Posts', {
      visibilityTimeout: Duration.seconds(6 * postTimeout.toSeconds()),
      // Ten times six minutes: an outage of an hour delays messages and loses none.
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: 10 },
    });
    notifications.sendTo(posts, deadLetters);
    const outbound = new MedicFunction(this, 'slack-post', {
      name: 'slack-post',
      description: 'Posts to Slack what people are told',
      settings,
      timeout: postTimeout,
      environment: { ...environment, DEAD_LETTERS: deadLetters.queueUrl },
    });
    Grant.addToPrincipal({
      grantee: outbound,
      actions: ['sqs:SendMessage'],
      resourceArns: [deadLetters.queueArn],
    });
    Grant.addToPrincipal({
      grantee: outbound,
      actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
      resourceArns: [posts.queueArn],
    });
    new EventSourceMapping(this, 'FromPosts', {
      target: outbound,
      eventSourceArn: posts.queueArn,
      batchSize: 1,
      // About one message a second and channel is what Slack takes.
      maxConcurrency: 2,
    });
    stateTable.grantReadPut(outbound);
    for (const lambda of [inbound, outbound]) {
      Grant.addToPrincipal({
        grantee: lambda,
        actions: ['secretsmanager:GetSecretValue'],
        resourceArns: [secret.secretArn],
      });
    }
    this.alarms(deadLetters, action);

    new CfnOutput(this, 'SlackUrl', { value: url.url }).overrideLogicalId('SlackUrl');
    new CfnOutput(this, 'SlackSecretArn', { value: secret.secretArn }).overrideLogicalId('SlackSecretArn');
  }

  private queue(id: string, props: ConstructorParameters<typeof Queue>[2]): Queue {
    return new Queue(this, id, { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true, ...props });
  }

  private alarms(deadLetters: Queue, action: IAlarmAction): void {
    const common = {
      threshold: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    };
    new Alarm(this, 'Refused', {
      ...common,
      alarmDescription: `Slack refuses messages of cgroup-medic, and will until somebody mends what is wrong: the token, the channel, or the app, which the log of slack-post names by Slack's word and docs/slack.md explains. Whoever is asked there does not see it: decide at the AWS console. The messages lie in ${deadLetters.queueName}.`,
      metric: new Metric({
        namespace: metricNamespace,
        metricName: 'SlackRefused',
        statistic: 'Sum',
        period: Duration.minutes(1),
      }),
      evaluationPeriods: 1,
    }).addAlarmAction(action);
    new Alarm(this, 'Lost', {
      ...common,
      alarmDescription: `A message was refused by Slack, or could not be posted for an hour, and lies in ${deadLetters.queueName}. Whoever was asked there has not seen it: decide at the AWS console. The log of slack-post says why; docs/slack.md has what each word of Slack means.`,
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1) }),
      evaluationPeriods: 1,
    }).addAlarmAction(action);
    new Alarm(this, 'Failing', {
      ...common,
      alarmDescription:
        'cgroup-medic and Slack do not understand each other, three times in a quarter of an hour. Messages are delivered again, and clicks may be lost: decide at the AWS console meanwhile. The logs of slack and slack-post say why.',
      metric: new Metric({
        namespace: metricNamespace,
        metricName: 'SlackFailed',
        statistic: 'Sum',
        period: Duration.minutes(5),
      }),
      evaluationPeriods: 3,
      datapointsToAlarm: 3,
    }).addAlarmAction(action);
  }
}
