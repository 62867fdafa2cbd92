import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { readTrend } from '../../../lambdas/adapters/cloudwatch-trend.ts';
import { clusterGap } from '../../../lambdas/adapters/cluster-reader.ts';
import { askInVpc } from '../../../lambdas/adapters/vpc-reader.ts';

const region = { region: 'us-east-1' };
const instanceId = 'i-0123456789abcdef0';

describe('the trend from CloudWatch', () => {
  const mock = mockClient(CloudWatchClient);
  const now = new Date('2026-11-21T06:30:00Z');
  const read = () => readTrend(new CloudWatchClient(region), { cluster: 'prod', instanceId, now });
  const at = (minutes: number) => new Date(now.getTime() - minutes * 60_000);
  beforeEach(() => mock.reset());

  it('is one question for a day, every quarter of an hour', async () => {
    mock.on(GetMetricDataCommand).resolves({
      MetricDataResults: [
        { Id: 'own_dying', StatusCode: 'Complete', Timestamps: [at(30), at(15)], Values: [100, 200] },
      ],
    });

    expect(await read()).toMatchObject({
      status: 'ok',
      value: {
        series: {
          dying: {
            points: [
              [at(30).getTime() / 1000, 100],
              [at(15).getTime() / 1000, 200],
            ],
          },
        },
      },
    });
    const [call, ...more] = mock.commandCalls(GetMetricDataCommand);
    expect(more).toEqual([]);
    const input = call?.args[0].input;
    expect(input).toMatchObject({ StartTime: at(24 * 60), EndTime: now });
    expect(input?.MetricDataQueries).toContainEqual({
      Id: 'own_dying',
      MetricStat: {
        Metric: {
          Namespace: 'CgroupMedic',
          MetricName: 'DyingCgroups',
          Dimensions: [
            { Name: 'ClusterName', Value: 'prod' },
            { Name: 'InstanceId', Value: instanceId },
          ],
        },
        Period: 900,
        Stat: 'Average',
      },
      ReturnData: true,
    });
    expect(input?.MetricDataQueries).toContainEqual(
      expect.objectContaining({ Id: 'insights_pods', Expression: expect.stringMatching(/^SEARCH\(/) }),
    );
  });

  it('is put together from pages; what is partial on the last one, and every message, is a gap', async () => {
    const page = (minutes: number, value: number) => ({
      Id: 'own_dying',
      StatusCode: 'PartialData' as const,
      Timestamps: [at(minutes)],
      Values: [value],
    });
    mock
      .on(GetMetricDataCommand)
      .resolvesOnce({
        MetricDataResults: [page(30, 1), { ...page(30, 7), Id: 'own_live' }],
        NextToken: 'more',
        Messages: [{ Code: 'MaxMetricsExceeded', Value: 'of a search' }],
      })
      .resolves({
        MetricDataResults: [
          { ...page(15, 2), StatusCode: 'Complete' },
          { ...page(15, 8), Id: 'own_live', Messages: [{ Code: 'ArithmeticError', Value: 'x' }] },
        ],
      });

    const probe = await read();

    expect(mock.commandCalls(GetMetricDataCommand).map(({ args }) => args[0].input.NextToken)).toEqual([
      undefined,
      'more',
    ]);
    const values = (name: 'dying' | 'live') =>
      probe.status === 'ok' ? probe.value.series[name]?.points.map(([, value]) => value) : [];
    expect([values('dying'), values('live')]).toEqual([
      [1, 2],
      [7, 8],
    ]);
    expect(probe).toMatchObject({
      value: {
        notRead: {
          live: 'CloudWatch answered PartialData: ArithmeticError: x',
          messages: 'MaxMetricsExceeded: of a search',
        },
      },
    });
    expect(probe.status === 'ok' && Object.keys(probe.value.notRead)).not.toContain('dying');
  });

  it('ends after some pages', async () => {
    mock.on(GetMetricDataCommand).resolves({
      MetricDataResults: [{ Id: 'own_dying', StatusCode: 'Complete', Timestamps: [at(5)], Values: [1] }],
      NextToken: 'for ever',
    });
    expect(await read()).toMatchObject({
      value: { notRead: { messages: 'there are more than 5 pages of points' } },
    });
    expect(mock.commandCalls(GetMetricDataCommand)).toHaveLength(5);
  });
});

describe('a cluster that is asked through the function in its VPC', () => {
  const mock = mockClient(LambdaClient);
  const question = {
    cluster: 'prod',
    endpoint: { endpoint: 'https://10.0.0.1', ca: 'PEM' },
    instanceId,
    names: [],
  };
  const ask = () => askInVpc(new LambdaClient(region), 'reader', question);
  const payload = (value: unknown) => new Uint8Array(Buffer.from(JSON.stringify(value))) as never;
  beforeEach(() => mock.reset());

  it('answers with its probes; the question holds no token', async () => {
    const probes = clusterGap('no right');
    mock.on(InvokeCommand).resolves({ Payload: payload(probes) });

    expect(await ask()).toEqual(probes);
    const { FunctionName, Payload } = mock.commandCalls(InvokeCommand)[0]?.args[0].input ?? {};
    expect(FunctionName).toBe('reader');
    expect(JSON.parse(Buffer.from((Payload ?? []) as Uint8Array).toString())).toEqual(question);
  });

  it.each([
    [
      'a function that failed',
      { FunctionError: 'Unhandled', Payload: payload({ errorMessage: 'Task timed out' }) },
      'failed: Task timed out',
    ],
    ['something else', { Payload: payload({ hello: 1 }) }, 'answered something else than probes'],
    ['nothing', {}, 'answered something else than probes'],
  ])('says what is wrong with %s', async (_, output, message) => {
    mock.on(InvokeCommand).resolves(output);
    await expect(ask()).rejects.toThrow(message);
  });
});
