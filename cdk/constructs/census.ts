import { Duration, TimeZone } from 'aws-cdk-lib';
import { Grant, type IGrantable, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Schedule, ScheduleExpression, ScheduleTargetInput, TimeWindow } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { CensusRequest } from '../../lambdas/domain/census/run.ts';
import type { Settings } from '../../lambdas/domain/settings.ts';
import type { Documents } from './documents.ts';
import { MedicFunction } from './medic-function.ts';
import type { Metrics } from './metrics.ts';
import type { Nodes } from './nodes.ts';
import type { Notifications } from './notifications.ts';
import type { StateTable } from './state-table.ts';

/** Where the census sends nodes over threshold: the one queue of all alarms. */
export interface CensusIntake {
  readonly queue: { readonly queueUrl: string };
  grantSend(grantee: MedicFunction): void;
}

export interface CensusProps {
  readonly settings: Settings;
  readonly documents: Documents;
  readonly stateTable: StateTable;
  readonly notifications: Notifications;
  readonly metrics: Metrics;
  readonly nodes: Nodes;
  /** @default - the census measures, and raises nothing */
  readonly intake?: CensusIntake;
}

/** How long the function that reads has; a message that it does not finish comes again after a little more. */
const readTimeout = Duration.minutes(5);

/** Looks at all nodes of the configured clusters by the clock: quickly every few minutes, and fully for a report once a week. */
export class Census extends Construct {
  /** Runs that nobody managed to begin, and looks that broke three times. */
  readonly deadLetters: Queue;
  readonly functions: readonly MedicFunction[];

  constructor(scope: Construct, id: string, props: CensusProps) {
    super(scope, id);
    const { settings, documents, stateTable, notifications, metrics, nodes, intake } = props;
    this.deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    const queue = (id: string): Queue =>
      new Queue(this, id, {
        encryption: QueueEncryption.SQS_MANAGED,
        enforceSSL: true,
        visibilityTimeout: readTimeout.plus(Duration.minutes(1)),
        // A run is closed long before; what is older belongs to a deployment that stood still.
        retentionPeriod: Duration.hours(6),
        deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 3 },
      });
    const [looks, ends] = [queue('Looks'), queue('Ends')];
    const environment = {
      STATE_TABLE: stateTable.tableName,
      NOTIFY_TOPIC_ARN: notifications.topicArn,
      DOCUMENTS: documents.toJson(),
      CENSUS_QUEUE_URL: looks.queueUrl,
      CENSUS_ENDS_QUEUE_URL: ends.queueUrl,
      ...(intake === undefined ? {} : { INTAKE_QUEUE_URL: intake.queue.queueUrl }),
      POWERTOOLS_SERVICE_NAME: 'cgroup-medic',
      NODE_OPTIONS: '--enable-source-maps',
    };
    const start = new MedicFunction(this, 'census-start', {
      name: 'census-start',
      description: 'Sends the document of a census to all nodes of a cluster',
      settings,
      environment,
    });
    const read = new MedicFunction(this, 'census-read', {
      name: 'census-read',
      description: 'Reads what the nodes answered, and publishes their figures',
      settings,
      environment,
      timeout: readTimeout,
    });
    const close = new MedicFunction(this, 'census-close', {
      name: 'census-close',
      description: 'Ends a run: counts who has not answered, raises nodes over threshold, or reports',
      settings,
      environment,
      timeout: readTimeout,
    });
    this.functions = [start, read, close];

    for (const name of ['collect-evidence', 'collect-services']) documents.grantSend(start, name);
    grantPut(looks, start);
    documents.grantReadMany(read);
    grantPut(looks, read);
    grantPut(ends, read);
    stateTable.grantReadUpdate(read);
    // The groups of nodes, where one has a standing treatment.
    for (const looker of [read, close]) {
      stateTable.grantListStandings(looker);
      nodes.grantReadNames(looker);
    }
    stateTable.grantListPauses(close);
    metrics.grantPublish(close);
    notifications.grantPublish(close);
    stateTable.grantReadWrite(close);
    intake?.grantSend(close);
    // One run at a time is enough, and the service lets no event source have less than two.
    read.addEventSource(new SqsEventSource(looks, { batchSize: 1, maxConcurrency: 2 }));
    close.addEventSource(new SqsEventSource(ends, { batchSize: 1, maxConcurrency: 2 }));
    start.configureAsyncInvoke({
      retryAttempts: 2,
      // Later than this the next run is due.
      maxEventAge: Duration.minutes(5),
      onFailure: new SqsDestination(this.deadLetters),
    });
    this.schedule(settings, start);
  }

  private schedule({ clusters }: Settings, start: MedicFunction): void {
    const role = new Role(this, 'ScheduleRole', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com'),
    });
    const target = (request: CensusRequest): LambdaInvoke =>
      new LambdaInvoke(start, {
        input: ScheduleTargetInput.fromObject(request),
        role,
        deadLetterQueue: this.deadLetters,
        retryAttempts: 2,
        maxEventAge: Duration.minutes(5),
      });
    for (const [cluster, { census }] of Object.entries(clusters)) {
      if (!census.enabled) continue;
      const { everyMinutes, jitterMinutes, weeklyReport } = census;
      new Schedule(this, `Quick-${cluster}`, {
        description: `Quick look at all nodes of ${cluster}`,
        schedule: ScheduleExpression.rate(Duration.minutes(everyMinutes)),
        timeWindow:
          jitterMinutes === 0 ? TimeWindow.off() : TimeWindow.flexible(Duration.minutes(jitterMinutes)),
        target: target({ cluster, profile: 'quick' }),
      });
      if (weeklyReport === 'never') continue;
      new Schedule(this, `Weekly-${cluster}`, {
        description: `Report of what the nodes of ${cluster} carry for nothing`,
        schedule: ScheduleExpression.cron({
          minute: '0',
          hour: '6',
          weekDay: weeklyReport,
          timeZone: TimeZone.ETC_UTC,
        }),
        timeWindow: TimeWindow.flexible(Duration.hours(1)),
        target: target({ cluster, profile: 'full' }),
      });
    }
  }
}

/** Only that: `grantSendMessages` lets the grantee ask for the queue's URL and attributes as well. */
function grantPut(queue: Queue, grantee: IGrantable): void {
  Grant.addToPrincipal({ grantee, actions: ['sqs:SendMessage'], resourceArns: [queue.queueArn] });
}
