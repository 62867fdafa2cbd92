import { describe, expect, it } from 'vitest';
import { Expects } from '../../../../lambdas/domain/treatments/treatment.ts';
import { lacks } from '../../../../lambdas/domain/verification/side-signals.ts';
import { judge, type Sample } from '../../../../lambdas/domain/verification.ts';
import { clusterWith } from '../sample-evidence.ts';
import { before, expects, sample, series } from './sample-looks.ts';

const { thresholds } = clusterWith();

describe('the side signals', () => {
  const well = {
    live: 500,
    throttledRatio: 0.1,
    directStallsPerSecond: 0,
    kubelet: 'well',
    nodeReady: true,
  };
  const judged = (last: Partial<Sample>, was: Partial<Sample> = {}, level = 258) =>
    judge(
      sample(-1, 20_000, { ...well, ...was }),
      series(level, level, level, level, level).concat(sample(10, level, { ...well, ...last })),
      expects,
      thresholds,
    );

  it('stand in the findings, all of them, and leave a cure a cure where none is worse', () => {
    const { verdict, findings } = judged({});

    expect(verdict).toBe('cured');
    expect(findings.map(({ fact }) => fact)).toEqual([
      'dying memory cgroups',
      'growth of dying memory cgroups, per hour',
      'available memory, percent',
      'time stalled on memory, percent',
      'tasks that reclaim memory themselves, per second',
      'throttled share of the CPU periods of the worst cgroup',
      'memory cgroup directories',
      'the kubelet',
      'the node is Ready',
    ]);
  });

  it.each<[string, Partial<Sample>, Partial<Sample>]>([
    ['memory ran low', { availablePercent: 49.9 }, { availablePercent: 50 }],
    ['tasks began to stall', { stalledPercent: 10.1 }, { stalledPercent: 10 }],
    ['tasks began to reclaim', { directStallsPerSecond: 11 }, { directStallsPerSecond: 10 }],
    ['a workload is throttled', { throttledRatio: 0.31 }, { throttledRatio: 0.3 }],
    ['directories became many', { live: 601 }, { live: 600 }],
    ['the kubelet does not run', { kubelet: 'failed' }, { kubelet: 'well' }],
    ['the node is not Ready any more', { nodeReady: false }, { nodeReady: true }],
  ])('turn a cure into none when %s, and not before', (_, worse, bearable) => {
    expect(judged(worse).verdict).toBe('not-cured');
    expect(judged(bearable).verdict).toBe('cured');
  });

  it.each<keyof Sample>([
    'availablePercent',
    'stalledPercent',
    'directStallsPerSecond',
    'throttledRatio',
    'live',
    'kubelet',
  ])('are no cure where %s was seen before and is not any more', (signal) => {
    expect(judged({ [signal]: null }).verdict).toBe('not-cured');
    expect(judged({ [signal]: null }, { [signal]: null }).verdict).toBe('cured');
    expect(lacks(sample(-1, 5, well), sample(0, 5, { ...well, [signal]: null }), 'dying')).toBe(true);
    expect(lacks(sample(-1, 5, well), sample(0, 5, well), 'dying')).toBe(false);
  });

  it('leave it unknown whether it helped where one is not seen any more, and no other is worse', () => {
    const lost = { live: null };

    expect(judged(lost).unseen).toBe(true);
    // What was seen says enough: one got worse, or the level did not come down.
    expect(judged({ ...lost, stalledPercent: 50 }).unseen).toBeUndefined();
    expect(judged(lost, {}, 19_900).unseen).toBeUndefined();
  });

  it.each<[string, Partial<Sample>, boolean]>([
    ['less memory available', { availablePercent: 10 }, true],
    ['more time stalled', { stalledPercent: 50 }, true],
    ['more tasks that reclaim', { directStallsPerSecond: 50 }, true],
    ['a kubelet that is not well', { kubelet: 'failed' }, true],
    ['a node that is not Ready', { nodeReady: false }, true],
    // These speak against a cure, and say nothing of the node.
    ['more throttling', { throttledRatio: 0.9 }, false],
    ['more directories', { live: 5000 }, false],
    ['a figure that is not seen any more', { stalledPercent: null }, false],
  ])('call %s a harm: %j %s', (_, figure, harmed) => {
    const judgement = judged(figure);

    expect(judgement.verdict).toBe('not-cured');
    expect(judgement.harmed ?? false).toBe(harmed);
    expect(judged(figure, figure).harmed).toBeUndefined();
  });

  it.each<[string, Partial<Sample>]>([
    ['that stalled as much before', { stalledPercent: 50 }],
    ['whose tasks reclaimed as much before', { directStallsPerSecond: 50 }],
    ['that was throttled as much before', { throttledRatio: 0.9 }],
  ])('do not blame a treatment for a node %s', (_, figure) => {
    expect(judged(figure, figure).verdict).not.toBe('not-cured');
  });

  it.each([
    [100, 200],
    [5000, 6000],
  ])('let %d directories become %d: a hundred more, or a fifth of many', (was, bearable) => {
    expect(judged({ live: bearable }, { live: was }).verdict).toBe('cured');
    expect(judged({ live: bearable + 1 }, { live: was }).verdict).toBe('not-cured');
  });

  it('want no second look for what was not seen before either', () => {
    const unseen = sample(-1, 5, { ...well, throttledRatio: null });

    expect(lacks(unseen, sample(0, 5, { ...well, throttledRatio: null }), 'dying')).toBe(false);
  });

  it('do not blame a treatment for a kubelet that was ill before, nor for an API server that was not asked', () => {
    expect(judged({ kubelet: 'failed' }, { kubelet: 'failed' }).verdict).toBe('cured');
    expect(judged({ nodeReady: false }, { nodeReady: false }).verdict).toBe('cured');
    expect(judged({ nodeReady: null }).verdict).toBe('cured');
  });

  it('do not blame it either for a dying cgroup in the place of each directory that it removed', () => {
    const scopes = Expects.parse({ text: '', signal: 'leakedScopes', atMost: 49 });
    const looks = (live: number, dying: number) =>
      [0, 2, 4, 6, 8, 10].map((minute) => sample(minute, dying, { leakedScopes: 3, live }));
    const was = sample(-1, 100, { leakedScopes: 900, live: 1000 });

    expect(judge(was, looks(100, 1000), scopes, thresholds).verdict).toBe('cured');
    expect(judge(was, looks(100, 1221), scopes, thresholds).verdict).toBe('not-cured');
    // Those that were there before are nobody's doing.
    expect(judge({ ...was, dying: 5000 }, looks(1000, 5000), scopes, thresholds).verdict).toBe('cured');
  });

  it('have their limits in the settings', () => {
    const strict = clusterWith({ verification: { harm: { availablePoints: 1 } } });
    const samples = series(258, 258, 258, 258, 258).concat(sample(10, 258, { availablePercent: 58 }));

    expect(judge(before, samples, expects, thresholds, strict.verification).verdict).toBe('not-cured');
    expect(judge(before, samples, expects, thresholds).verdict).toBe('cured');
  });
});
