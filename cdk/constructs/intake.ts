import { ArnFormat, CfnOutput, Duration, Lazy, Stack, Validations } from 'aws-cdk-lib';
import { Match, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Effect, Grant, PolicyStatement, ServicePrincipal, StarPrincipal } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { SqsSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { intakePace } from '../../lambdas/domain/intake/pace.ts';
import type { Settings } from '../../lambdas/domain/settings.ts';
import type { AuditTrail } from './audit-trail.ts';
import type { IncidentWorkflow } from './incident-workflow.ts';
import { MedicFunction } from './medic-function.ts';
import type { Nodes } from './nodes.ts';
import { RemediateRunbook } from './remediate-runbook.ts';
import { Webhook } from './webhook.ts';

export interface IntakeProps {
  readonly settings: Settings;
  readonly workflow: IncidentWorkflow;
  readonly auditTrail: AuditTrail;
  readonly nodes: Nodes;
}

const timeout = Duration.seconds(30);

/** From every source to incidents: the queues that alarms come by, and the function that takes them out. */
export class Intake extends Construct {
  /** Takes alarms of the sources that are services or functions of this stack. */
  readonly queue: Queue;
  /** Takes what people ask for. They are known by who writes to it, so nothing else may come by it, and they by no other. */
  readonly byHandQueue: Queue;
  /** Messages that could not be read or acted on in five tries, and events that did not reach the queue. */
  readonly deadLetters: Queue;
  readonly intake: MedicFunction;
  readonly webhook: Webhook | undefined;
  private readonly senders: string[] = [];

  constructor(scope: Construct, id: string, { settings, workflow, auditTrail, nodes }: IntakeProps) {
    super(scope, id);
    this.deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    this.queue = this.queueNamed('Alarms');
    this.byHandQueue = this.queueNamed('ByHand');
    this.refuseOtherSenders();
    this.takeCloudWatch(settings.intake.alarmPrefixes);
    const topic = this.takeManagedPrometheus();

    this.intake = new MedicFunction(this, 'Function', {
      name: 'intake',
      description: 'Takes alarms out of the queues, finds their nodes and starts their incidents',
      settings,
      timeout,
      environment: {
        STATE_MACHINE_ARN: workflow.stateMachine.stateMachineArn,
        ALARM_QUEUE_ARN: this.queue.queueArn,
        BY_HAND_QUEUE_ARN: this.byHandQueue.queueArn,
        AMP_TOPIC_ARN: topic.topicArn,
        AUDIT_LOG_GROUP: auditTrail.logGroupName,
        POWERTOOLS_SERVICE_NAME: 'cgroup-medic',
        NODE_OPTIONS: '--enable-source-maps',
      },
    });
    for (const [name, queue] of [
      ['FromAlarms', this.queue],
      ['FromByHand', this.byHandQueue],
    ] as const) {
      // What Lambda needs to read a queue: its developer guide, "Using Lambda with Amazon SQS".
      Grant.addToPrincipal({
        grantee: this.intake,
        actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
        resourceArns: [queue.queueArn],
      });
      new EventSourceMapping(this, name, {
        target: this.intake,
        eventSourceArn: queue.queueArn,
        batchSize: intakePace.batch,
        // A storm of alarms must not take the concurrency of the functions that work on the incidents, nor what EC2 allows them.
        maxConcurrency: intakePace.batchesAtOnce,
        reportBatchItemFailures: true,
      });
    }
    workflow.grantStart(this.intake);
    auditTrail.grantNote(this.intake);
    nodes.grantReadNames(this.intake);
    this.grantReadAlarms();

    if (settings.intake.webhook.enabled) {
      this.webhook = new Webhook(this, 'Webhook', { settings, queueUrl: this.queue.queueUrl });
      this.grantSend(this.webhook.webhook);
    }
    new RemediateRunbook(this, 'Runbook', {
      queueUrl: this.byHandQueue.queueUrl,
      clusters: Object.keys(settings.clusters),
    });
    new CfnOutput(this, 'ByHandQueueUrl', { value: this.byHandQueue.queueUrl }).overrideLogicalId(
      'ByHandQueueUrl',
    );
    new CfnOutput(this, 'PrometheusTopicArn', { value: topic.topicArn }).overrideLogicalId(
      'PrometheusTopicArn',
    );
    new CfnOutput(this, 'IntakeDeadLettersUrl', { value: this.deadLetters.queueUrl }).overrideLogicalId(
      'IntakeDeadLettersUrl',
    );
  }

  /** Lets a function of this stack send alarms. */
  grantSend(grantee: MedicFunction): void {
    this.senders.push(grantee.role.roleArn);
    Grant.addToPrincipal({ grantee, actions: ['sqs:SendMessage'], resourceArns: [this.queue.queueArn] });
  }

  private queueNamed(id: string): Queue {
    return new Queue(this, id, {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      // Six times that of the function, as Lambda asks for: its developer guide, "Using Lambda with Amazon SQS".
      visibilityTimeout: Duration.seconds(6 * timeout.toSeconds()),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 5 },
    });
  }

  /** Who could write to this queue could raise alarms in the name of a service; not even an administrator does it unnoticed. */
  private refuseOtherSenders(): void {
    this.queue.addToResourcePolicy(
      new PolicyStatement({
        effect: Effect.DENY,
        principals: [new StarPrincipal()],
        actions: ['sqs:SendMessage'],
        resources: [this.queue.queueArn],
        conditions: {
          BoolIfExists: { 'aws:PrincipalIsAWSService': 'false' },
          ArnNotEqualsIfExists: { 'aws:PrincipalArn': Lazy.list({ produce: () => this.senders }) },
        },
      }),
    );
  }

  /** Alarms whose names begin so, when they go off and when they end; and each series of one that watches several. */
  private takeCloudWatch(prefixes: readonly string[]): void {
    new Rule(this, 'CloudWatch', {
      description: 'Alarms of CloudWatch that open incidents of cgroup-medic',
      eventPattern: {
        source: ['aws.cloudwatch'],
        detailType: ['CloudWatch Alarm State Change', 'CloudWatch Alarm Contributor State Change'],
        detail: {
          alarmName: prefixes.flatMap((prefix) => Match.prefix(prefix)),
          state: { value: ['ALARM', 'OK'] },
        },
      },
      targets: [new SqsQueue(this.queue, { deadLetterQueue: this.deadLetters })],
    });
  }

  /** The topic that the alert manager of Amazon Managed Prometheus publishes to. */
  private takeManagedPrometheus(): Topic {
    const topic = new Topic(this, 'Prometheus', {
      displayName: 'Alerts for cgroup-medic',
      enforceSSL: true,
    });
    const { account } = Stack.of(this);
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('aps.amazonaws.com')],
        actions: ['sns:Publish', 'sns:GetTopicAttributes'],
        resources: [topic.topicArn],
        conditions: {
          StringEquals: { 'aws:SourceAccount': account },
          ArnLike: {
            'aws:SourceArn': Stack.of(this).formatArn({
              service: 'aps',
              resource: 'workspace',
              resourceName: '*',
              arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
            }),
          },
        },
      }),
    );
    // Not raw: what SNS puts around a message says which topic it is of.
    topic.addSubscription(
      new SqsSubscription(this.queue, { rawMessageDelivery: false, deadLetterQueue: this.deadLetters }),
    );
    return topic;
  }

  /** Lets the function ask what the alarms are about that a composite one names. */
  private grantReadAlarms(): void {
    Grant.addToPrincipal({
      grantee: this.intake,
      actions: ['cloudwatch:DescribeAlarms'],
      resourceArns: [
        Stack.of(this).formatArn({
          service: 'cloudwatch',
          resource: 'alarm',
          resourceName: '*',
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
      ],
    });
    Validations.of(this.intake.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:cloudwatch:<AWS::Region>:<AWS::AccountId>:alarm:*]',
      reason:
        'A composite alarm may be composed of any alarms of the account, and its event names them without saying what they are about.',
    });
  }
}
