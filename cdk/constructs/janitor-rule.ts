import { Duration, Validations } from 'aws-cdk-lib';
import { Alarm, type IAlarmAction, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { MedicFunction } from './medic-function.ts';

export interface JanitorRuleProps {
  readonly stateMachine: IStateMachine;
  readonly janitor: MedicFunction;
  /** What happens when the janitor has failed. */
  readonly onFailure: IAlarmAction;
}

/** Starts the janitor after executions that no Catch could tidy up: stopped, timed out or failed. */
export class JanitorRule extends Construct {
  constructor(scope: Construct, id: string, { stateMachine, janitor, onFailure }: JanitorRuleProps) {
    super(scope, id);
    // Holds what the janitor did not manage, and what did not reach it.
    const deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(deadLetters).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason:
        'This is a dead-letter queue: of a rule and of a function. The check only knows dead-letter queues of other queues.',
    });
    const failed = new Alarm(this, 'Failed', {
      alarmDescription:
        'The janitor of cgroup-medic could not clean up after an execution. The message in the dead-letter queue names it: look at the node, then start the janitor with the same event again.',
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1) }),
      threshold: 1,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    failed.addAlarmAction(onFailure);
    janitor.configureAsyncInvoke({
      retryAttempts: 2,
      maxEventAge: Duration.hours(6),
      onFailure: new SqsDestination(deadLetters),
    });
    new Rule(this, 'Rule', {
      description: 'Executions of cgroup-medic that ended without closing their incident',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: {
          status: ['ABORTED', 'TIMED_OUT', 'FAILED'],
          stateMachineArn: [stateMachine.stateMachineArn],
        },
      },
      targets: [new LambdaFunction(janitor, { deadLetterQueue: deadLetters })],
    });
  }
}
