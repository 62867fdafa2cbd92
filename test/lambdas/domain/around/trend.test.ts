import { describe, expect, it } from 'vitest';
import { censusMetrics, insightsMetrics } from '../../../../lambdas/domain/around/census-metrics.ts';
import { type TrendAnswer, trendOf, trendQueries } from '../../../../lambdas/domain/around/trend.ts';
import { SeriesName, Trend } from '../../../../lambdas/domain/evidence/trend.ts';
import { growthPerDay } from '../../../../lambdas/domain/trend.ts';
import { evidenceWith } from '../sample-evidence.ts';

const queries = trendQueries('prod', 'i-0123456789abcdef0');
const idOf = (metric: string) =>
  queries.find((query) => query.metric?.name === metric || query.search?.includes(`"${metric}"`))?.id ?? '';

/** A point every quarter of an hour, from one value to another. */
function line(metric: string, from: number, to: number, points = 96, problem?: string): TrendAnswer {
  return {
    id: idOf(metric),
    points: Array.from({ length: points }, (_, index) => [
      1_763_700_000 + index * 900,
      from + ((to - from) * index) / (points - 1),
    ]),
    ...(problem === undefined ? {} : { problem }),
  };
}

describe('the questions about a trend', () => {
  it('ask for each metric of the census with the dimensions of the node', () => {
    expect(queries.find(({ id }) => id === 'own_dying')).toEqual({
      id: 'own_dying',
      series: 'dying',
      scale: 1,
      metric: {
        namespace: 'CgroupMedic',
        name: 'DyingCgroups',
        dimensions: { ClusterName: 'prod', InstanceId: 'i-0123456789abcdef0' },
      },
    });
    expect(queries).toHaveLength(Object.keys(censusMetrics).length + Object.keys(insightsMetrics).length);
  });

  it('search Container Insights by instance, for the name of the node need not be known', () => {
    expect(queries.find(({ id }) => id === 'insights_pods')?.search).toBe(
      `SEARCH('{ContainerInsights,ClusterName,InstanceId,NodeName} MetricName="node_number_of_running_pods" ClusterName="prod" InstanceId="i-0123456789abcdef0"', 'Average', 900)`,
    );
  });

  it('have ids that CloudWatch takes, each once', () => {
    const ids = queries.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z0-9_]*$/);
  });

  it('cover every series but that of a single workload, and what only people write down', () => {
    const asked = new Set(queries.map(({ series }) => series));
    expect(SeriesName.options.filter((name) => !asked.has(name))).toEqual([
      'kubeletCpuPercent',
      'workingSetKb',
    ]);
  });
});

describe('a trend', () => {
  it('is made of the points, in the units of the evidence, and says what nobody publishes', () => {
    const probe = trendOf(queries, [
      line('DyingCgroups', 100, 4000),
      line('KubeletResidentMemory', 1_024_000, 2_048_000),
      line('ThrottledRatio', 0.12345678, 0.12345678, 2),
    ]);

    expect(Trend.parse(probe.status === 'ok' ? probe.value : {})).toEqual(
      probe.status === 'ok' && probe.value,
    );
    expect(probe).toMatchObject({
      status: 'ok',
      value: {
        series: {
          dying: { source: 'cloudwatch' },
          kubeletRssKb: { points: expect.arrayContaining([[1_763_700_000, 1000]]) },
          throttledRatio: {
            points: [
              [1_763_700_000, 0.1235],
              [1_763_700_900, 0.1235],
            ],
          },
        },
        notRead: {
          unpublished:
            'CloudWatch has no points of live, availableKb, slabUnreclaimableKb, percpuKb, goroutines, pods, directReclaimPercent, nodeWorkingSetKb',
        },
      },
    });
    expect(growthPerDay(evidenceWith({ trend: probe }), 'dying')?.perDay).toBeCloseTo(3941, -1);
  });

  it('is in order, whatever the order of the pages', () => {
    const { points } = line('DyingCgroups', 0, 95);
    const id = idOf('DyingCgroups');
    const probe = trendOf(queries, [
      { id, points: points.slice(40).reverse() },
      { id, points: points.slice(0, 50) },
    ]);
    expect(probe).toMatchObject({ value: { series: { dying: { points } } } });
  });

  it('takes the census before Container Insights, and Container Insights where there is no census', () => {
    const insights = line('node_number_of_running_pods', 5, 5, 3);
    const both = trendOf(queries, [line('Pods', 9, 9, 3), insights]);
    const alone = trendOf(queries, [insights]);

    const values = (probe: typeof both) =>
      probe.status === 'ok' ? probe.value.series.pods?.points.map(([, value]) => value) : [];
    expect(values(both)).toEqual([9, 9, 9]);
    expect(values(alone)).toEqual([5, 5, 5]);
  });

  it('says what was answered in part only', () => {
    const probe = trendOf(
      queries,
      [
        line('DyingCgroups', 1, 2, 6, 'CloudWatch answered PartialData'),
        { id: idOf('Pods'), points: [], problem: 'Forbidden' },
      ],
      ['MaxMetricsExceeded: too many'],
    );
    expect(probe).toMatchObject({
      status: 'ok',
      value: {
        notRead: {
          dying: 'CloudWatch answered PartialData',
          pods: 'Forbidden',
          messages: 'MaxMetricsExceeded: too many',
        },
      },
    });
  });

  it('without any point is missing; with a reason for it, it has failed', () => {
    expect(trendOf(queries, [{ id: 'own_dying', points: [] }])).toMatchObject({ status: 'missing' });
    expect(trendOf(queries, [{ id: 'own_dying', points: [], problem: 'Forbidden' }])).toEqual({
      status: 'failed',
      reason: 'CloudWatch gave no metrics of this node: Forbidden',
    });
  });

  it('has 500 points at most, the newest', () => {
    const probe = trendOf(queries, [line('DyingCgroups', 0, 599, 600)]);
    const points = probe.status === 'ok' ? probe.value.series.dying?.points : [];
    expect(points).toHaveLength(500);
    expect(points?.at(-1)?.[1]).toBe(599);
  });
});
