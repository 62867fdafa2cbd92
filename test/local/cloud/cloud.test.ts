import { createPublicKey, verify } from 'node:crypto';
import {
  CloudWatchClient,
  GetMetricDataCommand,
  ListMetricsCommand,
  PutMetricDataCommand,
} from '@aws-sdk/client-cloudwatch';
import {
  CloudWatchLogsClient,
  CreateLogStreamCommand,
  PutLogEventsCommand,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';
import { GetItemCommand, PutItemCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { DescribeTagsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { GetPublicKeyCommand, KMSClient, NotFoundException, SignCommand } from '@aws-sdk/client-kms';
import {
  InvalidToken,
  SendTaskFailureCommand,
  SendTaskSuccessCommand,
  SFNClient,
  TaskTimedOut,
} from '@aws-sdk/client-sfn';
import { ListTopicsCommand, PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cloud, startCloud } from '../../../local/cloud/cloud.ts';
import type { LogLine } from '../../../local/cloud/cloudwatch-logs.ts';
import type { Published } from '../../../local/cloud/sns.ts';
import { clientConfig, emptyStack } from './test-stack.ts';

const topicArn = 'arn:aws:sns:us-east-1:000000000000:people';
const lines: LogLine[] = [];
const published: Published[] = [];
let cloud: Cloud;
let config: ReturnType<typeof clientConfig>;

beforeAll(async () => {
  cloud = await startCloud({
    stack: {
      ...emptyStack,
      tables: [
        {
          logicalId: 'T',
          name: 'table',
          keySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
          attributes: [{ AttributeName: 'pk', AttributeType: 'S' }],
        },
      ],
      topics: [{ logicalId: 'P', arn: topicArn }],
      logGroups: [{ logicalId: 'L', name: 'audit' }],
      keys: [
        {
          logicalId: 'K',
          id: 'key-1',
          arn: 'arn:aws:kms:us-east-1:000000000000:key/key-1',
          spec: 'ECC_NIST_P256',
        },
      ],
    },
    onLogLine: (line) => lines.push(line),
    onPublished: (message) => published.push(message),
  });
  config = clientConfig(cloud);
});
afterAll(() => cloud?.close());

it('listens on loopback only', () => {
  expect(cloud.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
});

describe('DynamoDB', () => {
  it('has the tables of the template', async () => {
    await cloud.dynamo.send(
      new PutItemCommand({
        TableName: 'table',
        Item: { pk: { S: 'a' }, n: { N: '1' } },
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    );
    const { Item } = await cloud.dynamo.send(
      new GetItemCommand({ TableName: 'table', Key: { pk: { S: 'a' } } }),
    );
    expect(Item).toEqual({ pk: { S: 'a' }, n: { N: '1' } });
    const again = new PutItemCommand({
      TableName: 'table',
      Item: { pk: { S: 'a' } },
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    await expect(cloud.dynamo.send(again)).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
  });

  it('survives a client that goes away in the middle of a call', async () => {
    await fetch(cloud.endpoint, {
      method: 'POST',
      body: '{}',
      headers: {
        authorization: 'AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/dynamodb/aws4_request',
        'x-amz-target': 'DynamoDB_20120810.ListTables',
      },
      signal: AbortSignal.timeout(1),
    }).catch(() => {});
    const { Item } = await cloud.dynamo.send(
      new GetItemCommand({ TableName: 'table', Key: { pk: { S: 'b' } } }),
    );
    expect(Item).toBeUndefined();
  });
});

describe('Step Functions', () => {
  const sfn = () => new SFNClient(config);
  const never = () => new AbortController().signal;

  it('gives the answer to whoever waits for the token, once', async () => {
    const waiting = cloud.tokens.wait('token-1', never());
    await sfn().send(new SendTaskSuccessCommand({ taskToken: 'token-1', output: '{"a":1}' }));
    expect(await waiting).toEqual({ a: 1 });
    const again = sfn().send(new SendTaskSuccessCommand({ taskToken: 'token-1', output: '{}' }));
    await expect(again).rejects.toBeInstanceOf(TaskTimedOut);
  });

  it('gives a failure with its error and cause', async () => {
    const waiting = cloud.tokens.wait('token-2', never());
    const failed = expect(waiting).rejects.toMatchObject({ name: 'Denied', message: 'not today' });
    await sfn().send(
      new SendTaskFailureCommand({ taskToken: 'token-2', error: 'Denied', cause: 'not today' }),
    );
    await failed;
  });

  it('refuses a token that nobody waits for any more, one that never was, and output that is no JSON', async () => {
    const over = new AbortController();
    cloud.tokens.wait('token-3', over.signal).catch(() => {});
    over.abort();
    const send = (taskToken: string, output = '{}') =>
      sfn().send(new SendTaskSuccessCommand({ taskToken, output }));
    await expect(send('token-3')).rejects.toBeInstanceOf(TaskTimedOut);
    await expect(send('never-was')).rejects.toBeInstanceOf(InvalidToken);
    cloud.tokens.wait('token-4', never()).catch(() => {});
    await expect(send('token-4', 'no json')).rejects.toMatchObject({ name: 'InvalidOutput' });
  });
});

describe('CloudWatch', () => {
  const put = (Value: number, Timestamp: Date, Cluster: string) =>
    new CloudWatchClient(config).send(
      new PutMetricDataCommand({
        Namespace: 'Test',
        MetricData: [
          {
            MetricName: 'Incidents',
            Dimensions: [{ Name: 'Cluster', Value: Cluster }],
            Value,
            Timestamp,
            Unit: 'Count',
          },
        ],
      }),
    );

  it('keeps metrics and gives them back per period, newest first', async () => {
    const start = new Date('2026-11-21T06:00:00Z');
    await put(1, start, 'a');
    await put(2, new Date('2026-11-21T06:00:30Z'), 'a');
    await put(5, new Date('2026-11-21T06:02:00Z'), 'a');
    await put(99, start, 'b');
    const query = (Stat: string) => ({
      Id: Stat.toLowerCase(),
      MetricStat: {
        Metric: { Namespace: 'Test', MetricName: 'Incidents', Dimensions: [{ Name: 'Cluster', Value: 'a' }] },
        Period: 60,
        Stat,
      },
    });
    const { MetricDataResults } = await new CloudWatchClient(config).send(
      new GetMetricDataCommand({
        StartTime: start,
        EndTime: new Date('2026-11-21T06:10:00Z'),
        MetricDataQueries: [query('Sum'), query('Maximum')],
      }),
    );
    expect(MetricDataResults).toMatchObject([
      {
        Id: 'sum',
        Values: [5, 3],
        Timestamps: [new Date('2026-11-21T06:02:00Z'), start],
        StatusCode: 'Complete',
      },
      { Id: 'maximum', Values: [5, 2] },
    ]);
  });

  it('takes a call that the SDK has compressed', async () => {
    const MetricData = Array.from({ length: 500 }, (_, n) => ({ MetricName: `Many${n}`, Value: n }));
    await new CloudWatchClient(config).send(new PutMetricDataCommand({ Namespace: 'Large', MetricData }));
    expect(cloud.metrics.filter(({ namespace }) => namespace === 'Large')).toHaveLength(500);
  });
});

describe('CloudWatch Logs', () => {
  const logs = () => new CloudWatchLogsClient(config);
  const put = (logStreamName: string, timestamp: number, message = 'x') =>
    logs().send(
      new PutLogEventsCommand({ logGroupName: 'audit', logStreamName, logEvents: [{ timestamp, message }] }),
    );

  it('takes lines into streams that were created, and hands them on', async () => {
    await expect(put('one', Date.now())).rejects.toBeInstanceOf(ResourceNotFoundException);
    const create = () =>
      logs().send(new CreateLogStreamCommand({ logGroupName: 'audit', logStreamName: 'one' }));
    await create();
    await expect(create()).rejects.toBeInstanceOf(ResourceAlreadyExistsException);
    const timestamp = Date.now();
    expect((await put('one', timestamp, '{"a":1}')).rejectedLogEventsInfo).toBeUndefined();
    expect(lines).toContainEqual({ group: 'audit', stream: 'one', timestamp, message: '{"a":1}' });
  });

  it('does not know other log groups', async () => {
    const create = logs().send(new CreateLogStreamCommand({ logGroupName: 'other', logStreamName: 'one' }));
    await expect(create).rejects.toBeInstanceOf(ResourceNotFoundException);
  });

  it('rejects lines from too long ago or too far ahead, and says so', async () => {
    await logs().send(new CreateLogStreamCommand({ logGroupName: 'audit', logStreamName: 'times' }));
    expect((await put('times', Date.now() - 15 * 86_400_000)).rejectedLogEventsInfo).toEqual({
      tooOldLogEventEndIndex: 1,
    });
    expect((await put('times', Date.now() + 3 * 3_600_000)).rejectedLogEventsInfo).toEqual({
      tooNewLogEventStartIndex: 0,
    });
    expect(lines.filter(({ stream }) => stream === 'times')).toEqual([]);
  });
});

describe('SNS', () => {
  const publish = (input: { TopicArn?: string; Subject?: string; Message?: string }) =>
    new SNSClient(config).send(new PublishCommand({ TopicArn: topicArn, Message: 'text', ...input }));

  it('takes a message and hands it on, whatever characters are in it', async () => {
    const Message = '{"text":"a & b <c> = d + é %20\\n"}';
    expect((await publish({ Subject: 'Approve?', Message })).MessageId).toMatch(/^[0-9a-f-]{36}$/);
    expect(published.at(-1)).toMatchObject({ topicArn, subject: 'Approve?', message: Message });
  });

  it.each([
    ['another topic', { TopicArn: `${topicArn}-2` }, 'NotFound'],
    ['a long subject', { Subject: 'x'.repeat(101) }, 'InvalidParameter'],
    ['a subject that is not ASCII', { Subject: 'é' }, 'InvalidParameter'],
  ])('refuses %s', async (_, input, name) => {
    await expect(publish(input)).rejects.toMatchObject({ name: expect.stringMatching(`^${name}`) });
  });
});

describe('EC2', () => {
  it('tells the tags of the nodes that are attached, by instance and key', async () => {
    const run = () => Promise.reject(new Error('never'));
    cloud.ssm.attach({ instanceId: 'i-1', tags: { 'eks:cluster-name': 'a & b', other: 'x' }, run });
    cloud.ssm.attach({ instanceId: 'i-2', tags: { 'eks:cluster-name': 'c' }, run });
    const tagsOf = async (...Values: string[]) => {
      const { Tags } = await new EC2Client(config).send(
        new DescribeTagsCommand({
          Filters: [
            { Name: 'resource-id', Values },
            { Name: 'key', Values: ['eks:cluster-name'] },
          ],
        }),
      );
      return Tags?.map(({ ResourceId, Value }) => [ResourceId, Value]);
    };
    expect(await tagsOf('i-1')).toEqual([['i-1', 'a & b']]);
    expect(await tagsOf('i-1', 'i-2')).toEqual([
      ['i-1', 'a & b'],
      ['i-2', 'c'],
    ]);
    expect(await tagsOf('i-3')).toEqual([]);
  });
});

describe('KMS', () => {
  const kms = () => new KMSClient(config);

  it('signs with a key of this run, whose public half everybody can have', async () => {
    const Message = Buffer.from('the head of a trail');
    const { Signature } = await kms().send(
      new SignCommand({ KeyId: 'key-1', Message, MessageType: 'RAW', SigningAlgorithm: 'ECDSA_SHA_256' }),
    );
    const { PublicKey } = await kms().send(new GetPublicKeyCommand({ KeyId: 'key-1' }));
    const key = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' });
    expect(verify('sha256', Message, key, Buffer.from(Signature ?? []))).toBe(true);
    expect(verify('sha256', Message, cloud.keys[0]?.publicKeyPem ?? '', Buffer.from(Signature ?? []))).toBe(
      true,
    );
    expect(verify('sha256', Buffer.from('another'), key, Buffer.from(Signature ?? []))).toBe(false);
  });

  it('does not know other keys', async () => {
    await expect(kms().send(new GetPublicKeyCommand({ KeyId: 'key-2' }))).rejects.toBeInstanceOf(
      NotFoundException,
    );
  });
});

describe('what nothing here answers', () => {
  it.each([
    [
      'another call of a service',
      () => new CloudWatchClient(config).send(new ListMetricsCommand({})),
      'cloudwatch:ListMetrics; see local/cloud/cloudwatch.ts',
    ],
    [
      'a call that dynalite does not know',
      () => cloud.dynamo.send(new TransactWriteItemsCommand({ TransactItems: [] })),
      'dynamodb:TransactWriteItems; see local/cloud/dynamodb.ts',
    ],
    [
      'the query protocol',
      () => new SNSClient(config).send(new ListTopicsCommand({})),
      'sns:ListTopics; see local/cloud/sns.ts',
    ],
  ])('is named: %s', async (_, call, name) => {
    await expect(call()).rejects.toThrow(`the local cloud does not answer ${name}`);
    expect(cloud.unanswered.join('\n')).toContain(name);
  });

  it('is named for a service without a file as well', async () => {
    const authorization =
      'AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0';
    const answer = await fetch(cloud.endpoint, {
      method: 'POST',
      body: 'Action=ListRoles&Version=2010-05-08',
      headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('does not answer iam:ListRoles');
  });
});

it('records every call with service and name', async () => {
  await new SNSClient(config).send(new PublishCommand({ TopicArn: topicArn, Message: 'recorded' }));
  expect(cloud.calls.at(-1)).toMatchObject({ service: 'sns', call: 'Publish', at: expect.any(Date) });
});
