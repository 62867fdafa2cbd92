import { CloudWatchClient, GetMetricDataCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeInstancesCommand, EC2Client, GetConsoleOutputCommand } from '@aws-sdk/client-ec2';
import { DescribeClusterCommand, EKSClient, ResourceNotFoundException } from '@aws-sdk/client-eks';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterTag } from '../../../lambdas/adapters/instance-cluster.ts';
import { type Cloud, startCloud } from '../../../local/cloud/cloud.ts';
import { TaskError } from '../../../local/engine/task-error.ts';
import { atThisTime, RecordedAround } from '../../../local/node/recorded-around.ts';
import { listRecordedNodes, recordedAround } from '../../../local/node/recorded-node.ts';
import { clientConfig, emptyStack } from './test-stack.ts';

const instanceId = 'i-0123456789abcdef0';
const around = RecordedAround.parse({
  provenance: 'made up',
  metrics: [
    {
      namespace: 'ContainerInsights',
      name: 'node_number_of_running_pods',
      dimensions: { NodeName: 'node-1' },
      hours: 2,
      everySeconds: 900,
      from: 10,
      to: 18,
    },
  ],
  console: ['[1.000000] first', '[2.000000] <second>'],
  cluster: { node: { metadata: { name: 'node-1' } } },
});
let cloud: Cloud;
let config: ReturnType<typeof clientConfig>;
beforeAll(async () => {
  cloud = await startCloud({
    stack: emptyStack,
    invoke: async (name, payload) => {
      if (name === 'broken') throw new TaskError('Error', '{"errorType":"Error","errorMessage":"it broke"}');
      return { name, payload };
    },
  });
  config = clientConfig(cloud);
  cloud.ssm.attach({
    instanceId,
    around,
    tags: { [clusterTag]: 'prod' },
    run: () => Promise.reject(new Error('nobody runs anything here')),
  });
});
afterAll(() => cloud?.close());

describe('CloudWatch', () => {
  const search = (metric: string, instance = instanceId) =>
    `SEARCH('{ContainerInsights,ClusterName,InstanceId,NodeName} MetricName="${metric}" ClusterName="prod" InstanceId="${instance}"', 'Average', 900)`;
  const get = async (expression: string) => {
    const { MetricDataResults } = await new CloudWatchClient(config).send(
      new GetMetricDataCommand({
        MetricDataQueries: [{ Id: 'q', Expression: expression }],
        StartTime: new Date(Date.now() - 86_400_000),
        EndTime: new Date(),
        ScanBy: 'TimestampAscending',
      }),
    );
    return MetricDataResults ?? [];
  };

  it('finds what was recorded of a node by a search, oldest first when asked so', async () => {
    const [result, ...more] = await get(search('node_number_of_running_pods'));
    expect(more).toEqual([]);
    expect(result).toMatchObject({ Id: 'q', StatusCode: 'Complete' });
    expect(result?.Values).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18]);
    expect(result?.Timestamps?.at(0)?.getTime()).toBeLessThan(result?.Timestamps?.at(-1)?.getTime() ?? 0);
  });

  it('finds nothing for another metric, instance, or set of dimensions', async () => {
    await new CloudWatchClient(config).send(
      new PutMetricDataCommand({
        Namespace: 'ContainerInsights',
        MetricData: [
          {
            MetricName: 'other',
            Value: 1,
            Dimensions: [
              { Name: 'ClusterName', Value: 'prod' },
              { Name: 'InstanceId', Value: instanceId },
            ],
          },
        ],
      }),
    );
    expect(await get(search('other'))).toEqual([]);
    expect(await get(search('node_number_of_running_pods', 'i-0fedcba9876543210'))).toEqual([]);
  });

  it('says that it knows no other expression', async () => {
    await expect(get('m1 + m2')).rejects.toThrow('the expression m1 + m2 is unknown here');
  });
});

describe('EC2', () => {
  it('has the name and the console of a node', async () => {
    const client = new EC2Client(config);
    const { Reservations } = await client.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
    const { Output } = await client.send(
      new GetConsoleOutputCommand({ InstanceId: instanceId, Latest: true }),
    );

    expect(Reservations?.[0]?.Instances?.[0]).toMatchObject({
      InstanceId: instanceId,
      PrivateDnsName: 'node-1',
    });
    expect(Buffer.from(Output ?? '', 'base64').toString()).toBe(
      '[1.000000] first\r\n[2.000000] <second>\r\n',
    );
  });

  it('does not know an instance that is not there', async () => {
    const asking = new EC2Client(config).send(
      new GetConsoleOutputCommand({ InstanceId: 'i-0fedcba9876543210' }),
    );
    await expect(asking).rejects.toMatchObject({ name: 'InvalidInstanceID.NotFound' });
  });
});

describe('EKS', () => {
  it('names a stand-in for the API server of a cluster of which something was recorded, and no other', async () => {
    const client = new EKSClient(config);
    const { cluster } = await client.send(new DescribeClusterCommand({ name: 'prod' }));
    expect(cluster?.endpoint).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(Buffer.from(cluster?.certificateAuthority?.data ?? '', 'base64').toString()).toContain(
      'BEGIN CERTIFICATE',
    );
    // The same one, however often it is asked for.
    const again = await client.send(new DescribeClusterCommand({ name: 'prod' }));
    expect(again.cluster?.endpoint).toBe(cluster?.endpoint);

    await expect(client.send(new DescribeClusterCommand({ name: 'dev' }))).rejects.toBeInstanceOf(
      ResourceNotFoundException,
    );
  });
});

describe('Lambda', () => {
  const invoke = async (name: string) => {
    const { FunctionError, Payload } = await new LambdaClient(config).send(
      new InvokeCommand({ FunctionName: name, Payload: Buffer.from('{"a":1}') }),
    );
    return { FunctionError, answer: JSON.parse(Buffer.from(Payload ?? []).toString()) };
  };

  it('runs the function and gives what it answers', async () => {
    expect(await invoke('reader')).toEqual({
      FunctionError: undefined,
      answer: { name: 'reader', payload: { a: 1 } },
    });
  });

  it('answers with the error of a function that fails', async () => {
    expect(await invoke('broken')).toEqual({
      FunctionError: 'Unhandled',
      answer: { errorType: 'Error', errorMessage: 'it broke' },
    });
  });
});

describe('what is recorded around a node', () => {
  it('is there for some nodes, with where it comes from, and nothing for the others', () => {
    const known = listRecordedNodes().filter((name) => recordedAround(name) !== undefined);
    expect(known).toEqual(expect.arrayContaining(['silent-notready', 'v2-trend']));
    expect(known).not.toContain('v1-zombies');
    for (const name of known) expect(recordedAround(name)?.provenance).toContain('Composed, not recorded');
  });

  it('has times that are relative to when it is asked for', () => {
    const at = Date.parse('2026-11-21T06:30:00Z');
    expect(atThisTime({ a: ['ago:90'], b: 'ago:x', c: 'long ago:5' }, at)).toEqual({
      a: ['2026-11-21T06:28:30Z'],
      b: 'ago:x',
      c: 'long ago:5',
    });
  });
});
