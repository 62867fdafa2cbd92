import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DescribeDocumentCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { finishedOn, isOver, outputOn, sendToCluster } from '../../../lambdas/adapters/census-commands.ts';
import { publishCluster } from '../../../lambdas/adapters/census-metrics.ts';
import { fleetOf, runningNodes } from '../../../lambdas/adapters/cluster-nodes.ts';
import { clusterTag } from '../../../lambdas/adapters/instance-cluster.ts';
import { publishNodes } from '../../../lambdas/adapters/node-metrics.ts';
import { putInQueue } from '../../../lambdas/adapters/queue.ts';
import { RaisedStore } from '../../../lambdas/adapters/raised-store.ts';
import { SecondLookStore } from '../../../lambdas/adapters/second-look-store.ts';
import type { DueLook } from '../../../lambdas/domain/census/second-look.ts';
import { type Cloud, startCloud } from '../../../local/cloud/cloud.ts';
import { embeddedData } from '../../../local/cloud/embedded-metrics.ts';
import type { ManagedNode } from '../../../local/cloud/ssm.ts';
import { clientConfig, emptyStack } from '../../local/cloud/test-stack.ts';
import { type LocalDynamo, startDynamo } from './local-dynamo.ts';

const queueUrl = 'https://sqs.us-east-1.amazonaws.com/000000000000/looks';
const idOf = (index: number) => `i-${String(index).padStart(17, '0')}`;
const fleet = 120;

let cloud: Cloud;
let ssm: SSMClient;
let hash: string;

/** A node that says its own id; every tenth fails, and the last takes its time. */
function node(index: number, more: Partial<ManagedNode> = {}): ManagedNode {
  return {
    instanceId: idOf(index),
    tags: { [clusterTag]: 'prod' },
    run: async (_content, parameters, signal) => {
      if (index === fleet - 1 && parameters.what === 'slow') {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      }
      const failed = index % 10 === 3;
      const stdout = failed ? '' : `${idOf(index)} ${'x'.repeat(4000)}`;
      return { status: failed ? 'Failed' : 'Success', responseCode: failed ? 1 : 0, stdout, stderr: '' };
    },
    ...more,
  };
}

beforeAll(async () => {
  const content = {
    schemaVersion: '2.2',
    parameters: { what: { type: 'String', allowedValues: ['quick', 'slow'], interpolationType: 'ENV_VAR' } },
    mainSteps: [
      { action: 'aws:runShellScript', name: 'run', inputs: { timeoutSeconds: '10', runCommand: [] } },
    ],
  };
  cloud = await startCloud({
    stack: {
      ...emptyStack,
      documents: [{ logicalId: 'D', name: 'doc', content }],
      queues: [{ logicalId: 'Q', url: queueUrl, arn: 'arn:aws:sqs:us-east-1:000000000000:Q' }],
    },
  });
  for (let index = 0; index < fleet; index += 1) cloud.ssm.attach(node(index));
  cloud.ssm.attach(node(500, { tags: { [clusterTag]: 'other' } }));
  cloud.ssm.attach(node(501, { registered: false }));
  ssm = new SSMClient(clientConfig(cloud));
  const { Document } = await ssm.send(new DescribeDocumentCommand({ Name: 'doc' }));
  hash = Document?.Hash ?? '';
});
afterAll(async () => {
  ssm.destroy();
  await cloud.close();
});

function send(what: 'quick' | 'slow', cluster = 'prod'): Promise<string> {
  return sendToCluster(ssm, {
    document: { name: 'doc', version: '1', hash, contentDigest: '', timeoutSeconds: 10 },
    cluster,
    arguments: { what },
    deliverySeconds: 60,
    nodesAtOnce: 50,
    comment: 'c'.repeat(200),
  });
}

const patiently = { timeout: 20_000, interval: 100 };

describe('a command to a cluster', () => {
  it('reaches the nodes with its tag that SSM knows, page after page, and fails on some for none of the others', async () => {
    const command = await send('quick');

    await vi.waitFor(async () => expect(await isOver(ssm, command)).toBe(true), patiently);
    const finished = await finishedOn(ssm, command);
    expect([...finished.keys()].sort()).toEqual(Array.from({ length: fleet }, (_, index) => idOf(index)));
    expect([...finished.values()].filter((succeeded) => !succeeded)).toHaveLength(fleet / 10);
  });

  it('gives all that a node has printed, more than a list shows, and nothing where it failed', async () => {
    const command = await send('quick');
    await vi.waitFor(async () => expect(await isOver(ssm, command)).toBe(true), patiently);

    expect(await outputOn(ssm, command, idOf(4))).toHaveLength(20 + 4000);
    expect(await outputOn(ssm, command, idOf(3))).toBeUndefined();
    expect(await outputOn(ssm, command, idOf(501))).toBeUndefined();
  });

  it('is not over while one node is at it, nor before the service knows it', async () => {
    const command = await send('slow');

    expect(await isOver(ssm, command)).toBe(false);
    expect(await isOver(ssm, 'not-known-yet')).toBe(false);
    expect(await finishedOn(ssm, 'not-known-yet')).toEqual(new Map());
    await vi.waitFor(async () => expect((await finishedOn(ssm, command)).size).toBe(fleet - 1), patiently);
    expect(await isOver(ssm, command)).toBe(false);
  });

  it('to a cluster without nodes is over, and has none', async () => {
    const command = await send('quick', 'nobody');

    await vi.waitFor(async () => expect(await isOver(ssm, command)).toBe(true), patiently);
    expect(await finishedOn(ssm, command)).toEqual(new Map());
  });
});

describe('the nodes of a cluster', () => {
  beforeAll(() => {
    vi.stubEnv('AWS_ENDPOINT_URL', cloud.endpoint);
    vi.stubEnv('AWS_REGION', 'us-east-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'LOCALONLY');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local-only');
    vi.stubEnv('AWS_SESSION_TOKEN', 'local-only');
  });
  afterAll(() => vi.unstubAllEnvs());

  it('are the running instances with its tag, also those that SSM has never heard of', async () => {
    const nodes = await runningNodes('prod');

    expect(nodes).toHaveLength(fleet + 1);
    expect(nodes.map(({ instanceId }) => instanceId)).toContain(idOf(501));
    expect(nodes[0]?.launchedAt.getTime()).toBeLessThan(Date.now() - 3_000_000);
    expect(nodes[0]).not.toHaveProperty('name');
  });

  it('are read page by page', async () => {
    for (let index = 1000; index < 1450; index += 1)
      cloud.ssm.attach(node(index, { tags: { [clusterTag]: 'large' }, registered: false }));
    cloud.ssm.attach(node(1450, { tags: { [clusterTag]: 'large' }, privateDnsName: 'ip-10-0-0-1' }));
    const before = cloud.calls.length;
    const nodes = await runningNodes('large');

    expect(cloud.calls.slice(before).map(({ call }) => call)).toEqual(Array(3).fill('DescribeInstances'));
    expect(new Set(nodes.map(({ instanceId }) => instanceId)).size).toBe(451);
    expect(nodes.at(-1)?.name).toBe('ip-10-0-0-1');
    expect(await runningNodes('nobody')).toEqual([]);
  });

  it('have a node group and a zone, or nobody knows them', async () => {
    const tags = { [clusterTag]: 'placed', 'eks:nodegroup-name': 'web' };
    cloud.ssm.attach(node(600, { tags, zone: 'eu-west-1b' }));
    cloud.ssm.attach(node(601, { tags: { [clusterTag]: 'placed' }, zone: '' }));
    expect(await fleetOf('placed')).toEqual([
      { instanceId: idOf(600), nodeGroup: 'web', zone: 'eu-west-1b' },
      { instanceId: idOf(601), nodeGroup: 'unknown', zone: 'unknown' },
    ]);
  });

  it('that EC2 does not tell are an error, and no cluster without nodes', async () => {
    const server = createServer((_, response) => response.writeHead(200).end('<a><b/></a>'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);

    await expect(runningNodes('prod')).rejects.toThrow(/cannot be read/);
    await expect(fleetOf('prod')).rejects.toThrow(/cannot be read/);
    server.close();
  });
});

describe('the figures of a census', () => {
  it('of nodes go out as lines that CloudWatch makes metrics of, each with its node', () => {
    const figures = [
      { metric: 'DyingCgroups', unit: 'Count', value: 7 },
      { metric: 'MemoryAvailable', unit: 'Bytes', value: 1024 },
    ] as const;
    const at = new Date('2026-11-21T06:30:00Z');
    const nodes = new Map([
      [idOf(1), figures],
      [idOf(2), figures],
    ]);
    const lines: string[] = [];
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((line) => {
      lines.push(String(line));
      return true;
    });
    try {
      publishNodes('prod', nodes, at);
    } finally {
      write.mockRestore();
    }

    const data = lines.flatMap(embeddedData);
    expect(data).toHaveLength(4);
    expect(data.at(-1)).toEqual({
      namespace: 'CgroupMedic',
      name: 'MemoryAvailable',
      dimensions: { ClusterName: 'prod', InstanceId: idOf(2) },
      at: at.getTime(),
      value: 1024,
    });
  });

  it('of a cluster have the most and the sum in one metric', async () => {
    const cloudwatch = new CloudWatchClient(clientConfig(cloud));
    const at = new Date('2026-11-21T06:30:00Z');
    const dying = { nodes: 3, sum: 60, min: 10, max: 30 };
    await publishCluster(cloudwatch, 'prod', { counts: { Nodes: 4 }, dying }, at);

    const query = (Stat: string) => ({
      Id: Stat.toLowerCase(),
      MetricStat: {
        Metric: {
          Namespace: 'CgroupMedic',
          MetricName: 'DyingCgroups',
          Dimensions: [{ Name: 'ClusterName', Value: 'prod' }],
        },
        Period: 900,
        Stat,
      },
    });
    const { MetricDataResults } = await cloudwatch.send(
      new GetMetricDataCommand({
        MetricDataQueries: ['Maximum', 'Sum', 'Average', 'Minimum', 'SampleCount'].map(query),
        StartTime: at,
        EndTime: new Date(at.getTime() + 900_000),
      }),
    );
    expect(MetricDataResults?.map(({ Values }) => Values?.[0])).toEqual([30, 60, 20, 10, 3]);
    cloudwatch.destroy();
  });
});

describe('a message', () => {
  it('goes into its queue as JSON, to be seen later', async () => {
    const sqs = new SQSClient({ ...clientConfig(cloud), useQueueUrlAsEndpoint: false });
    await putInQueue(sqs, queueUrl, { said: 'ü' }, 45);

    expect(cloud.queues.take(queueUrl)).toMatchObject([
      { id: expect.any(String), queueUrl, body: '{"said":"ü"}', delaySeconds: 45 },
    ]);
    await expect(putInQueue(sqs, `${queueUrl}-not`, {})).rejects.toThrow(/does not exist/);
    await expect(putInQueue(sqs, queueUrl, 'x'.repeat(256 * 1024))).rejects.toThrow(/longer than 256 KiB/);
    sqs.destroy();
  });
});

describe('the turn of a node to be raised', () => {
  const t0 = new Date('2026-11-21T06:30:00Z');
  const later = (minutes: number) => new Date(t0.getTime() + minutes * 60_000);
  let dynamo: LocalDynamo;
  let store: RaisedStore;
  beforeAll(async () => {
    dynamo = await startDynamo();
    store = new RaisedStore(dynamo.client, 'state');
  });
  afterAll(() => dynamo.stop());

  it('comes once, and again when it has cooled down', async () => {
    expect(await store.claim(idOf(1), 'one', 60, t0)).toBe(true);
    expect(await store.claim(idOf(1), 'two', 60, later(59))).toBe(false);
    expect(await store.claim(idOf(1), 'three', 60, later(60))).toBe(true);
    expect(await store.claim(idOf(2), 'one', 60, later(1))).toBe(true);
  });

  it('comes again to the run that has it, whose message was delivered twice', async () => {
    expect(await store.claim(idOf(3), 'one', 60, t0)).toBe(true);
    expect(await store.claim(idOf(3), 'one', 60, later(1))).toBe(true);
  });

  it('is had by exactly one of many', async () => {
    const claims = Array.from({ length: 20 }, (_, index) => store.claim(idOf(4), `run-${index}`, 60, t0));

    expect((await Promise.all(claims)).filter(Boolean)).toHaveLength(1);
  });

  it('is a failure where it cannot be asked for, and no turn', async () => {
    const nowhere = new RaisedStore(dynamo.client, 'no-such-table');

    await expect(nowhere.claim(idOf(5), 'one', 60, t0)).rejects.toThrow();
  });
});

describe('a second look', () => {
  const due: DueLook = {
    at: '2026-11-22T06:30:00.000Z',
    cause: 'dying-memcgs',
    treatment: 'reclaim',
    signal: 'dying',
    level: 250,
    atMost: 300,
    incident: 'inc-1',
  };
  const early: DueLook = { ...due, at: '2026-11-22T05:30:00.000Z', incident: 'inc-2' };
  const then = new Date(due.at);
  let dynamo: LocalDynamo;
  let looks: SecondLookStore;
  beforeAll(async () => {
    dynamo = await startDynamo();
    looks = new SecondLookStore(dynamo.client, 'state');
  });
  afterAll(() => dynamo.stop());

  it('is given back to its cluster when it is due, the oldest first, until it is forgotten', async () => {
    expect(await looks.due('prod', then)).toEqual(new Map());
    await looks.remember('prod', idOf(1), due);
    await looks.remember('prod', idOf(2), early);
    await looks.remember('other', idOf(3), early);

    expect([...(await looks.due('prod', then))]).toEqual([
      [idOf(2), early],
      [idOf(1), due],
    ]);
    expect([...(await looks.due('prod', new Date(early.at))).keys()]).toEqual([idOf(2)]);
    // As it comes back from a message, whose fields have another order.
    const { at, ...rest } = early;
    await looks.forget('prod', idOf(2), { ...rest, at });
    expect([...(await looks.due('prod', then)).keys()]).toEqual([idOf(1)]);
  });

  it('of a later cure stays when the earlier one is forgotten', async () => {
    await looks.remember('prod', idOf(4), early);
    await looks.remember('prod', idOf(4), due);
    await looks.forget('prod', idOf(4), early);

    expect((await looks.due('prod', then)).get(idOf(4))).toEqual(due);
  });
});
