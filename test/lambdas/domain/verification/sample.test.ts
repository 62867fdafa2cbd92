import { describe, expect, it } from 'vitest';
import { Sample, sampleOf } from '../../../../lambdas/domain/verification/sample.ts';
import { kubelet, nodeStatus, reclaim } from '../causes/judge.ts';
import { evidenceWith, missing } from '../sample-evidence.ts';

describe('sampleOf', () => {
  const at = new Date('2026-11-21T06:30:00Z');
  const throttled = (...top: [number, number][]) => ({
    status: 'ok',
    value: {
      windowMs: 1000,
      cgroups: 9,
      omitted: 0,
      withQuota: 5,
      throttled: top.length,
      top: top.map(([periods, throttledPeriods]) => ({
        path: '/a',
        pod: null,
        periods,
        throttledPeriods,
        throttledMs: 5,
      })),
    },
  });

  it('shows what was not seen as unknown, with the reason, and never as zero', () => {
    const names = ['host', 'cgroups', 'memory', 'pressure', 'unpopulated', 'sessions', 'kubelet'];
    const others = ['containers', 'throttling', 'reclaim', 'nodeStatus'];
    const blind = evidenceWith(Object.fromEntries([...names, ...others].map((name) => [name, missing])));
    const unknown = Sample.parse({
      at: at.toISOString(),
      dying: null,
      availablePercent: null,
      stalledPercent: null,
      bootId: null,
    });

    expect(sampleOf(blind, at)).toEqual(unknown);
    expect(sampleOf(undefined, at, 'no answer')).toEqual({ ...unknown, gap: 'no answer' });
  });

  it('has every figure of evidence that has them all', () => {
    const seen = evidenceWith({
      kubelet: kubelet({ rssKb: 7, healthz: 200 }),
      reclaim: reclaim({ allocstall: 9 }),
    });

    expect(sampleOf(seen, at)).toEqual({
      at: at.toISOString(),
      dying: 18,
      live: 120,
      leakedScopes: 0,
      abandonedScopes: 0,
      kubeletRssKb: 7,
      exitedContainers: 1,
      throttledRatio: 0,
      availablePercent: 62.5,
      stalledPercent: 0,
      directStallsPerSecond: 4.5,
      kubelet: 'well',
      nodeReady: true,
      bootId: 'boot-1',
    });
  });

  it.each([
    ['active', 500, 'healthz answers 500'],
    ['active', null, 'well'],
    ['activating', 200, 'activating'],
    [null, 200, 'well'],
    [null, null, null],
  ])('calls a kubelet that is %s, and whose healthz answers %s, %s', (active, healthz, health) => {
    expect(sampleOf(evidenceWith({ kubelet: kubelet({ active, healthz }) }), at).kubelet).toBe(health);
  });

  it.each<[[number, number][], number | null]>([
    [[], 0],
    [[[10, 5]], 0.5],
    [
      [
        [2, 2],
        [10, 4],
      ],
      0.4,
    ],
    [
      [
        [10, 2],
        [10, 4],
        [10, 3],
      ],
      0.4,
    ],
    [[[5, 5]], 1],
    [[[4, 4]], null],
  ])('takes of throttled cgroups %j the worst that says something: %s', (top, ratio) => {
    expect(sampleOf(evidenceWith({ throttling: throttled(...top) }), at).throttledRatio).toBe(ratio);
  });

  it('knows no rate of stalls that were counted for an unknown time', () => {
    const counted = evidenceWith({ reclaim: reclaim({ allocstall: 9, windowMs: null }) });

    expect(sampleOf(counted, at).directStallsPerSecond).toBeNull();
  });

  it.each([
    ['True', 'True', true],
    ['True', 'False', false],
    ['False', 'True', true],
    ['True', 'Unknown', false],
  ])('with memory pressure %s and Ready %s, takes the node for Ready: %s', (pressed, ready, nodeReady) => {
    const conditions = [
      { type: 'MemoryPressure', status: pressed },
      { type: 'Ready', status: ready },
    ];

    expect(sampleOf(evidenceWith({ nodeStatus: nodeStatus({ conditions }) }), at).nodeReady).toBe(nodeReady);
  });

  it('goes by the tasks that stall in part where the kernel does not say when all do', () => {
    const stall = (avg10: number) => ({ avg10, avg60: 0, avg300: 0, totalUs: 0 });
    const one = { some: stall(30), full: null };
    const pressure = { status: 'ok', value: { memory: one, io: one, cpu: one } };

    expect(sampleOf(evidenceWith({ pressure }), at).stalledPercent).toBe(30);
  });
});
