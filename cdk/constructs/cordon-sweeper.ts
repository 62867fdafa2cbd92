import { Duration, Validations } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { Schedule, ScheduleExpression, ScheduleTargetInput, TimeWindow } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { SweepRequest } from '../../lambdas/domain/replacement/forgotten-cordon.ts';
import type { Settings } from '../../lambdas/domain/settings.ts';
import type { AuditTrail } from './audit-trail.ts';
import { MedicFunction } from './medic-function.ts';
import type { Notifications } from './notifications.ts';
import type { SigningKey } from './signing-key.ts';
import type { StateTable } from './state-table.ts';

export interface CordonSweeperProps {
  /** Those whose nodes may be cordoned. */
  readonly clusters: readonly string[];
  readonly settings: Settings;
  readonly environment: Readonly<Record<string, string>>;
  readonly stateTable: StateTable;
  readonly auditTrail: AuditTrail;
  readonly signingKey: SigningKey;
  readonly notifications: Notifications;
}

/** A cordon has to be forgotten for a quarter of an hour at least, whatever the settings say: more often shows nothing new. */
const every = Duration.minutes(15);

/** Looks by the clock for nodes with a cordon of ours that no incident comes back for. */
export class CordonSweeper extends Construct {
  readonly lambda: MedicFunction;
  /** Sweeps that could not begin, or failed three times. */
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, props: CordonSweeperProps) {
    super(scope, id);
    const { clusters, settings, environment, stateTable, auditTrail, signingKey, notifications } = props;
    this.deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(this.deadLetters).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason:
        'This is a dead-letter queue: of a schedule and of a function. The check only knows dead-letter queues of other queues.',
    });
    this.lambda = new MedicFunction(this, 'Function', {
      name: 'sweep-cordons',
      description: 'Looks for nodes with a cordon of ours that no incident comes back for',
      settings,
      environment,
      // One uncordon after the other, of however many there are.
      timeout: Duration.minutes(5),
    });
    stateTable.grantLeases(this.lambda);
    auditTrail.grantAppend(this.lambda);
    signingKey.grantSign(this.lambda);
    notifications.grantPublish(this.lambda);
    this.lambda.configureAsyncInvoke({
      retryAttempts: 2,
      // Later than this the next sweep is due.
      maxEventAge: Duration.minutes(10),
      onFailure: new SqsDestination(this.deadLetters),
    });
    const role = new Role(this, 'ScheduleRole', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com'),
    });
    for (const cluster of clusters) {
      const request: SweepRequest = { cluster };
      new Schedule(this, `Sweep-${cluster}`, {
        description: `Look for forgotten cordons in ${cluster}`,
        schedule: ScheduleExpression.rate(every),
        timeWindow: TimeWindow.flexible(Duration.minutes(5)),
        target: new LambdaInvoke(this.lambda, {
          input: ScheduleTargetInput.fromObject(request),
          role,
          deadLetterQueue: this.deadLetters,
          retryAttempts: 2,
          maxEventAge: Duration.minutes(10),
        }),
      });
    }
  }
}
