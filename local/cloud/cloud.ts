import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { region } from '../engine/intrinsics.ts';
import type { Json } from '../engine/json.ts';
import type { StackTemplate } from '../engine/template.ts';
import { LocalAutomations } from './automation.ts';
import { autoscalingService } from './autoscaling.ts';
import { cloudformationService } from './cloudformation.ts';
import { cloudwatchService, type Datum, type MetricAlarm } from './cloudwatch.ts';
import { cloudwatchLogsService, type LogLine } from './cloudwatch-logs.ts';
import { LocalClusters } from './clusters.ts';
import { createTables, dynamodbService } from './dynamodb.ts';
import { ec2Service } from './ec2.ts';
import { eksService } from './eks.ts';
import { iamService, type LocalPrincipal } from './iam.ts';
import { kmsService, type LocalKey, makeKeys } from './kms.ts';
import { lambdaService } from './lambda.ts';
import { LocalOwners } from './owners.ts';
import { recordedMetrics } from './recorded-metrics.ts';
import { LocalSecrets } from './secrets-manager.ts';
import { type Published, snsService } from './sns.ts';
import { LocalQueues } from './sqs.ts';
import { LocalSsm } from './ssm.ts';
import { type StartExecution, stepFunctionsService, TaskTokens } from './step-functions.ts';
import { stsService } from './sts.ts';
import {
  accessKeyOf,
  answerError,
  type RecordedCall,
  readRequest,
  type Service,
  ServiceError,
  type WireRequest,
} from './wire.ts';

export interface CloudProps {
  readonly stack: StackTemplate;
  onLogLine?(line: LogLine): void;
  onPublished?(message: Published): void;
  /** Runs a function that another one calls. @default there is none to call */
  invoke?(name: string, payload: Json): Promise<Json>;
  /** Starts an execution that a function asks for. @default there is no state machine */
  startExecution?: StartExecution;
}

/** The part of AWS that the functions call, as far as they call it, on a loopback port of this machine. */
export type Cloud = {
  endpoint: string;
  ssm: LocalSsm;
  /** Runbooks that somebody starts, and who that is. */
  automations: LocalAutomations;
  /** Roles and users of the account, as IAM knows them. */
  principals: LocalPrincipal[];
  tokens: TaskTokens;
  keys: LocalKey[];
  metrics: Datum[];
  /** Messages in the queues, which nobody takes out but whoever looks. */
  queues: LocalQueues;
  secrets: LocalSecrets;
  /** Alarms of CloudWatch, as DescribeAlarms has them. */
  alarms: MetricAlarm[];
  /** Auto Scaling groups, and the nodes that they make. */
  owners: LocalOwners;
  /** API servers that stand in for those of clusters with recorded nodes. */
  clusters: LocalClusters;
  /** For looking into the tables. */
  dynamo: DynamoDBClient;
  calls: RecordedCall[];
  /** What stands between the callers and the services, for tests. */
  disturbances: Set<Disturbance>;
  /** Calls that nothing here answers, as the caller was told. */
  unanswered: string[];
  close(): Promise<void>;
};

/**
 * Something that befalls a call: what it throws is the answer, and the service never sees the call; what it returns is
 * run once the service has answered.
 */
export type Disturbance = (request: WireRequest & { service: string }) => (() => void) | undefined;

export async function startCloud({
  stack,
  onLogLine,
  onPublished,
  invoke,
  startExecution,
}: CloudProps): Promise<Cloud> {
  const ssm = new LocalSsm(stack);
  const run = invoke ?? (() => Promise.reject(new Error('there is no function to call here')));
  const automations = new LocalAutomations(stack.documents, run);
  const principals: LocalPrincipal[] = [];
  const tokens = new TaskTokens();
  const keys = makeKeys(stack.keys);
  const metrics: Datum[] = [];
  const queues = new LocalQueues(stack.queues.map(({ url }) => url));
  const secrets = new LocalSecrets(stack.secrets);
  const alarms: MetricAlarm[] = [];
  const owners = new LocalOwners(() => ssm.nodes);
  const clusters = new LocalClusters(() => ssm.nodes, owners);
  const services: Service[] = [
    dynamodbService(),
    ssm.service(automations.operations()),
    iamService(principals),
    stsService(),
    ec2Service(() => ssm.nodes),
    autoscalingService(() => owners.all()),
    stepFunctionsService(tokens, startExecution),
    cloudwatchService(metrics, () => ssm.nodes.flatMap(recordedMetrics), alarms),
    cloudformationService(stack.name, stack.outputs),
    eksService(
      (name) => clusters.named(name),
      async (name) => owners.nodeGroup(name),
    ),
    lambdaService(run),
    cloudwatchLogsService(
      stack.logGroups.map(({ name }) => name),
      (line) => onLogLine?.(line),
    ),
    snsService(
      stack.topics.map(({ arn }) => arn),
      (message) => onPublished?.(message),
    ),
    kmsService(keys),
    queues.service(),
    secrets.service(),
  ];

  const calls: RecordedCall[] = [];
  const unanswered: string[] = [];
  const disturbances = new Set<Disturbance>();
  const server = createServer((message, response) => {
    // A client that goes away in the middle of a call is not an error of the cloud.
    message.on('error', () => {});
    response.on('error', () => {});
    serve(services, message, response, { calls, unanswered, disturbances }).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const dynamo = new DynamoDBClient({
    endpoint,
    region,
    credentials: { accessKeyId: 'LOCALONLY', secretAccessKey: 'local-only' },
  });
  await createTables(dynamo, stack.tables);
  calls.length = 0;

  return {
    endpoint,
    ssm,
    automations,
    principals,
    tokens,
    keys,
    metrics,
    queues,
    secrets,
    alarms,
    owners,
    clusters,
    dynamo,
    calls,
    disturbances,
    unanswered,
    async close() {
      await automations.close();
      await ssm.close();
      await clusters.close();
      dynamo.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function serve(
  services: readonly Service[],
  message: IncomingMessage,
  response: ServerResponse,
  { calls, unanswered, disturbances }: Pick<Cloud, 'calls' | 'unanswered' | 'disturbances'>,
): Promise<void> {
  const read = await readRequest(message);
  const service = services.find(({ name, signingName }) => (signingName ?? name) === read.signedFor);
  const request = { ...read, call: service?.operationOf?.(read.call) ?? read.call };
  const record: RecordedCall = {
    service: service?.name ?? request.signedFor,
    call: request.call,
    at: new Date(),
    accessKey: accessKeyOf(message),
  };
  calls.push(record);
  try {
    if (!service?.calls.includes(request.call)) {
      const where =
        service === undefined ? `there is no such file under local/cloud/` : `see ${service.file}`;
      const text = `the local cloud does not answer ${record.service}:${record.call}; ${where}`;
      unanswered.push(text);
      throw new ServiceError('UnknownOperationException', text);
    }
    const afterwards = [...disturbances].map((disturb) => disturb({ ...request, service: record.service }));
    await service.answer(request, response);
    for (const then of afterwards) then?.();
  } catch (error) {
    const answer =
      error instanceof ServiceError ? error : new ServiceError('InternalFailure', String(error), 500);
    record.error = answer.name;
    answerError(request, response, answer);
  }
}
