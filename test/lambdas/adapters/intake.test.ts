import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { dimensionsOfAlarms } from '../../../lambdas/adapters/alarm-dimensions.ts';
import { instancesById, nodesByName } from '../../../lambdas/adapters/ec2-instances.ts';
import { clusterToken } from '../../../lambdas/adapters/eks-token.ts';
import { count } from '../../../lambdas/adapters/embedded-metrics.ts';
import { startIncident } from '../../../lambdas/adapters/executions.ts';
import { instanceOfNode } from '../../../lambdas/adapters/node-instance.ts';
import { type Cloud, startCloud } from '../../../local/cloud/cloud.ts';
import { refusal } from '../../../local/cloud/kubernetes-answer.ts';
import { type LocalApiServer, startApiServer } from '../../../local/cloud/kubernetes-api.ts';
import { clientConfig, emptyStack } from '../../local/cloud/test-stack.ts';

const instanceId = 'i-0123456789abcdef0';

describe('instances of EC2', () => {
  let forms: Record<string, string>[];
  let content: string;
  const service = createServer(async (message, response) => {
    forms.push(Object.fromEntries(new URLSearchParams(await text(message))));
    response
      .writeHead(200, { 'content-type': 'text/xml' })
      .end(`<DescribeInstancesResponse><requestId>r</requestId>${content}</DescribeInstancesResponse>`);
  });
  beforeAll(async () => {
    service.listen(0, '127.0.0.1');
    await once(service, 'listening');
  });
  afterAll(() => void service.close());
  beforeEach(() => {
    forms = [];
    vi.stubEnv('AWS_REGION', 'us-east-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'LOCALONLY');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local-only');
    vi.stubEnv('AWS_ENDPOINT_URL_EC2', `http://127.0.0.1:${(service.address() as AddressInfo).port}`);
  });
  afterEach(() => vi.unstubAllEnvs());

  const instance = (id: string, tags: string, name = '', state = 'running') =>
    `<item><instanceId>${id}</instanceId><instanceState><code>16</code><name>${state}</name></instanceState><privateDnsName>${name}</privateDnsName>${tags}</item>`;
  const tag = (key: string, value: string) => `<item><key>${key}</key><value>${value}</value></item>`;
  const reservation = (...instances: string[]) =>
    `<item><reservationId>r</reservationId><instancesSet>${instances.join('')}</instancesSet></item>`;

  it('are asked for by id in one call, by a filter that minds no id that there is not', async () => {
    content = '<reservationSet/>';
    expect(await instancesById([instanceId, 'i-0deadbeef0deadbee'])).toEqual([]);
    expect(forms).toEqual([
      {
        Action: 'DescribeInstances',
        Version: '2016-11-15',
        'Filter.1.Name': 'instance-id',
        'Filter.1.Value.1': instanceId,
        'Filter.1.Value.2': 'i-0deadbeef0deadbee',
      },
    ]);
  });

  it('are asked for by name among the running nodes of the configured clusters, 200 names at a time', async () => {
    content = '<reservationSet/>';
    await nodesByName(
      Array.from({ length: 201 }, (_, index) => `node-${index}`),
      ['prod', 'stage'],
    );
    expect(forms).toHaveLength(2);
    expect(forms[1]).toEqual({
      Action: 'DescribeInstances',
      Version: '2016-11-15',
      'Filter.1.Name': 'private-dns-name',
      'Filter.1.Value.1': 'node-200',
      'Filter.2.Name': 'instance-state-name',
      'Filter.2.Value.1': 'running',
      'Filter.3.Name': 'tag:eks:cluster-name',
      'Filter.3.Value.1': 'prod',
      'Filter.3.Value.2': 'stage',
    });
  });

  it('are read, whether there is one or several, with one tag, many or none', async () => {
    const many = `<tagSet>${tag('Name', 'x')}${tag('eks:cluster-name', 'prod')}</tagSet>`;
    const one = `<tagSet>${tag('eks:cluster-name', 'stage')}</tagSet>`;
    content = `<reservationSet>${reservation(instance('i-1', many, 'a.internal'), instance('i-2', one))}${reservation(instance('i-3', '<tagSet/>', '', 'terminated'))}${reservation(instance('i-4', ''))}</reservationSet>`;
    expect(await instancesById(['i-1'])).toEqual([
      { instanceId: 'i-1', state: 'running', cluster: 'prod', nodeNames: ['a.internal'] },
      { instanceId: 'i-2', state: 'running', cluster: 'stage', nodeNames: [] },
      { instanceId: 'i-3', state: 'terminated', nodeNames: [] },
      { instanceId: 'i-4', state: 'running', nodeNames: [] },
    ]);
  });

  it('are not guessed at where there are more than one page, or the answer is another', async () => {
    content = '<reservationSet/><nextToken>more</nextToken>';
    await expect(instancesById(['i-1'])).rejects.toThrow('more than one page');
    content = '<somethingElse/>';
    await expect(instancesById(['i-1'])).rejects.toThrow('cannot be read');
  });
});

describe('by the services that stand in', () => {
  let cloud: Cloud;
  let start: (name: string) => { startedAt: Date } | string;
  beforeAll(async () => {
    cloud = await startCloud({ stack: emptyStack, startExecution: ({ name }) => start(name) });
  });
  afterAll(() => cloud?.close());

  it('alarms on one metric and on several are known by their dimensions, and others not at all', async () => {
    const cloudwatch = new CloudWatchClient(clientConfig(cloud));
    const dimension = { Name: 'InstanceId', Value: instanceId };
    cloud.alarms.push(
      { AlarmName: 'one', MetricName: 'M', Namespace: 'N', Dimensions: [dimension] },
      {
        AlarmName: 'several',
        Metrics: [
          { Id: 'e', Expression: 'm1 / 2' },
          {
            Id: 'm1',
            MetricStat: {
              Metric: { Namespace: 'N', MetricName: 'M', Dimensions: [dimension] },
              Period: 60,
              Stat: 'Sum',
            },
          },
        ],
      },
      { AlarmName: 'without', MetricName: 'M', Namespace: 'N' },
    );
    const names = [
      'one',
      'several',
      'without',
      'gone',
      ...Array.from({ length: 120 }, (_, index) => `n${index}`),
    ];
    const found = await dimensionsOfAlarms(cloudwatch, names);
    expect([...found]).toEqual([
      ['one', [{ InstanceId: instanceId }]],
      ['several', [{ InstanceId: instanceId }]],
      ['without', [{}]],
    ]);
    cloudwatch.destroy();
  });

  it('an execution is started, or known; everything else is an error that may pass', async () => {
    const sfn = new SFNClient(clientConfig(cloud));
    const alarm = {
      source: 'census' as const,
      id: 'x',
      at: '2026-11-21T06:30:00Z',
      cluster: 'prod',
      instanceId,
    };
    const begin = () =>
      startIncident(sfn, 'arn:aws:states:us-east-1:000000000000:stateMachine:M', 'one', alarm);
    start = () => ({ startedAt: new Date() });
    expect(await begin()).toBe('started');
    start = () => 'ExecutionAlreadyExists';
    expect(await begin()).toBe('known');
    for (const error of [
      'ExecutionLimitExceeded',
      'ThrottlingException',
      'AccessDeniedException',
      'StateMachineDoesNotExist',
    ]) {
      start = () => error;
      await expect(begin(), error).rejects.toThrow(error);
    }
    sfn.destroy();
  });
});

describe('the instance of a node, by its API server', () => {
  let server: LocalApiServer;
  let status: number | undefined;
  beforeAll(async () => {
    const node = { metadata: { name: 'worker-7.example.com' } };
    server = await startApiServer({
      nodes: () => [
        {
          instanceId,
          cluster: { node, pods: [], events: [], podCertificateRequests: [], kubeletMetrics: null } as never,
        },
      ],
      instead: () => (status === undefined ? undefined : refusal(status, 'no')),
    });
  });
  afterAll(() => server?.close());

  async function ask(nodeName: string) {
    const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret' };
    const token = await clusterToken('prod', { region: 'us-east-1', credentials, now: new Date() });
    const endpoint = { endpoint: server.endpoint, ca: server.certificateAuthority };
    return instanceOfNode({ cluster: 'prod', endpoint, nodeName }, token, 5000);
  }

  it('is that of its provider id, and none for a node that there is not', async () => {
    expect(await ask('worker-7.example.com')).toEqual({ instanceId });
    expect(await ask('worker-8.example.com')).toEqual({ instanceId: null });
    expect(server.asked).toContain('/api/v1/nodes/worker-8.example.com');
  });

  it('is an error where the API server refuses', async () => {
    status = 403;
    await expect(ask('worker-7.example.com')).rejects.toThrow('lacks the right to get nodes');
    status = undefined;
  });
});

describe('a count', () => {
  it('is one line of its own for each metric, in the form that CloudWatch Logs makes metrics of', () => {
    const lines: string[] = [];
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((line) => {
      lines.push(String(line));
      return true;
    });
    try {
      count(
        [
          { name: 'AlarmsAccepted', value: 2 },
          { name: 'AlarmsRefused', value: 1, dimensions: { Reason: 'stale' } },
        ],
        1_700_000_000_000,
      );
    } finally {
      write.mockRestore();
    }
    expect(lines.every((line) => line.endsWith('}\n') && line.indexOf('\n') === line.length - 1)).toBe(true);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        _aws: {
          Timestamp: 1_700_000_000_000,
          CloudWatchMetrics: [
            {
              Namespace: 'CgroupMedic',
              Dimensions: [[]],
              Metrics: [{ Name: 'AlarmsAccepted', Unit: 'Count' }],
            },
          ],
        },
        AlarmsAccepted: 2,
      },
      {
        _aws: {
          Timestamp: 1_700_000_000_000,
          CloudWatchMetrics: [
            {
              Namespace: 'CgroupMedic',
              Dimensions: [['Reason']],
              Metrics: [{ Name: 'AlarmsRefused', Unit: 'Count' }],
            },
          ],
        },
        Reason: 'stale',
        AlarmsRefused: 1,
      },
    ]);
  });
});
