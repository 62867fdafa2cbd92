import { describe, expect, it } from 'vitest';
import { diagnose } from '../../../lambdas/domain/diagnosis.ts';
import type { Evidence } from '../../../lambdas/domain/evidence/evidence.ts';
import { Expects, type Signal } from '../../../lambdas/domain/treatments/treatment.ts';
import { lookAt, looksIn } from '../../../lambdas/domain/verification/looks.ts';
import { newCauses } from '../../../lambdas/domain/verification/new-causes.ts';
import { lacks } from '../../../lambdas/domain/verification/side-signals.ts';
import { judge, Sample, sampleOf } from '../../../lambdas/domain/verification.ts';
import { cgroups, clusterWith, evidenceWith, loopingAgent, missing, slices } from './sample-evidence.ts';

const cluster = clusterWith();
const { thresholds } = cluster;
const expects = { text: 'few are left', signal: 'dying' as const, atMost: 300, level: 'falls' as const };
const start = Date.parse('2026-11-21T06:30:00Z');

function sample(minute: number, dying: number | null, more: Partial<Sample> = {}): Sample {
  const at = new Date(start + minute * 60_000).toISOString();
  return Sample.parse({ at, dying, availablePercent: 60, stalledPercent: 0, bootId: 'boot-1', ...more });
}

const before = sample(-1, 20_000);
const series = (...counts: (number | null)[]): Sample[] =>
  counts.map((dying, index) => sample(index * 2, dying));
const verdictOf = (samples: Sample[]) => judge(before, samples, expects, thresholds).verdict;

describe('judge', () => {
  it('calls a low and flat level cured', () => {
    const judgement = judge(before, series(260, 258, 259, 258, 260, 258), expects, thresholds);

    expect(judgement).toMatchObject({ verdict: 'cured', provisional: false });
  });

  it('calls a low level that grows on relieved: the producer is still there', () => {
    expect(verdictOf(series(10, 40, 70, 100, 130, 160))).toBe('relieved');
  });

  it('calls a level that halved but stopped short relieved', () => {
    expect(verdictOf(series(9000, 9000, 9001, 9000, 9000, 9000))).toBe('relieved');
    expect(verdictOf(series(10_000, 10_000, 10_000, 10_000, 10_000, 10_000))).toBe('relieved');
    expect(verdictOf(series(10_001, 10_001, 10_001, 10_001, 10_001, 10_001))).toBe('not-cured');
  });

  it('calls a level that did not fall, or rose, not cured', () => {
    expect(verdictOf(series(19_900, 19_900, 19_900, 19_900, 19_900, 19_900))).toBe('not-cured');
    expect(verdictOf(series(20_000, 21_000, 22_000, 23_000, 24_000, 25_000))).toBe('not-cured');
  });

  it('lets one odd look bend nothing', () => {
    expect(verdictOf(series(258, 258, 4000, 258, 258, 258))).toBe('cured');
    expect(verdictOf(series(9000, 9000, 9000, 9000, 9000, 258))).toBe('relieved');
  });

  it('is content with exactly what the rung promised, and with no more', () => {
    expect(verdictOf(series(300, 300, 300, 300, 300, 300))).toBe('cured');
    expect(verdictOf(series(301, 301, 301, 301, 301, 301))).toBe('relieved');
  });

  it('takes what is healthy where the rung promises no level', () => {
    const { atMost: _, ...open } = expects;
    const judged = (dying: number) =>
      judge(before, series(...Array(6).fill(dying)), open, thresholds).findings[0];

    expect(judged(thresholds.dyingFloor)).toMatchObject({ threshold: thresholds.dyingFloor, speaks: 'for' });
    expect(judged(thresholds.dyingFloor + 1)).toMatchObject({ speaks: 'against' });
  });

  it('cannot judge where nobody looked before', () => {
    const unseen = sample(-1, null);

    expect(judge(unseen, series(258, 258, 258, 258, 258, 258), expects, thresholds).verdict).toBe(
      'not-cured',
    );
  });

  it('never takes missing looks for a cure', () => {
    expect(verdictOf(series(258, null, 258, null, 258, 258))).toBe('not-cured');
    expect(verdictOf(series(258, 258, 258, 258, 258, null))).toBe('not-cured');
    expect(verdictOf(series(258, 258, 258, 258))).toBe('not-cured');
    expect(verdictOf([])).toBe('not-cured');
  });

  it('does not credit a treatment with a reboot', () => {
    const samples = series(18, 18, 18, 18, 18).concat(sample(12, 18, { bootId: 'boot-2' }));
    const unknown = series(18, 18, 18, 18, 18).concat(sample(12, 18, { bootId: null }));

    expect(verdictOf(samples)).toBe('not-cured');
    expect(verdictOf(unknown)).toBe('not-cured');
    expect(judge({ ...before, bootId: null }, samples, expects, thresholds).verdict).toBe('not-cured');
  });

  it.each<[string, Sample, Sample[]]>([
    ['nobody looked before', sample(-1, null), series(258, 258, 258, 258, 258, 258)],
    ['there are too few looks', before, series(258, 258, 258, 258)],
    ['the last look saw nothing', before, series(258, 258, 258, 258, 258, null)],
    ['the node booted', before, series(18, 18, 18, 18, 18).concat(sample(12, 18, { bootId: 'boot-2' }))],
    [
      'no look ever said which boot it is',
      sample(-1, 20_000, { bootId: null }),
      series(18, 18, 18, 18, 18, 18).map((look) => ({ ...look, bootId: null })),
    ],
  ])('does not know whether it helped where %s', (_, was, looks) => {
    expect(judge(was, looks, expects, thresholds)).toMatchObject({ verdict: 'not-cured', unseen: true });
  });

  it('knows where it saw all there is that it did not help', () => {
    const judgement = judge(
      before,
      series(19_900, 19_900, 19_900, 19_900, 19_900, 19_900),
      expects,
      thresholds,
    );

    expect(judgement.verdict).toBe('not-cured');
    expect(judgement).not.toHaveProperty('unseen');
  });

  it('is provisional where the window is too short to see slow growth', () => {
    const samples = [0, 1, 2, 3, 4].map((second) => sample(second / 60, 258));

    expect(judge(before, samples, expects, thresholds)).toMatchObject({
      verdict: 'cured',
      provisional: true,
    });
  });

  it('is provisional where the rung says that its promise takes longer to be seen', () => {
    const slow = Expects.parse({ ...expects, windowSeconds: 86_400 });

    expect(judge(before, series(258, 258, 258, 258, 258, 258), slow, thresholds)).toMatchObject({
      verdict: 'cured',
      provisional: true,
    });
  });

  it('takes a rise that is mere noise in a short window for no growth', () => {
    const samples = [258, 258, 259, 259, 260].map((dying, second) => sample(second / 60, dying));

    expect(judge(before, samples, expects, thresholds)).toMatchObject({
      verdict: 'cured',
      provisional: true,
    });
  });

  it('cannot be talked into a cure by looks at one moment', () => {
    const samples = [0, 0, 0, 0, 0].map((minute) => sample(minute, 258));

    expect(verdictOf(samples)).toBe('relieved');
  });
});

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
  });

  it('have their limits in the settings', () => {
    const strict = clusterWith({ verification: { harm: { availablePoints: 1 } } });
    const samples = series(258, 258, 258, 258, 258).concat(sample(10, 258, { availablePercent: 58 }));

    expect(judge(before, samples, expects, thresholds, strict.verification).verdict).toBe('not-cured');
    expect(judge(before, samples, expects, thresholds).verdict).toBe('cured');
  });
});

describe('judge, for a treatment that stops a producer', () => {
  const stopped = { ...expects, level: 'holds' as const };
  const judged = (...counts: number[]) =>
    judge(sample(-1, 280), series(...counts), stopped, thresholds).verdict;

  it('calls it cured when nothing grows any more, though the level did not fall', () => {
    expect(judged(290, 290, 291, 290, 290, 290)).toBe('cured');
  });

  it('calls it relieved when the growth has stopped above what is healthy', () => {
    expect(judged(900, 900, 901, 900, 900, 900)).toBe('relieved');
  });

  it('calls it not cured when it grows on, however low', () => {
    expect(judged(10, 40, 70, 100, 130, 160)).toBe('not-cured');
  });
});

describe('judge, by another signal', () => {
  const judged = (signal: Signal, was: number, values: number[], more: object = {}) =>
    judge(
      sample(-1, 18, { [signal]: was }),
      values.map((value, index) => sample(index * 2, 18, { [signal]: value })),
      Expects.parse({ text: '', signal, ...more }),
      thresholds,
    );
  const six = (value: number) => Array<number>(6).fill(value);

  it('calls a kubelet at half of its memory cured, provisionally: ten minutes show no growth a day', () => {
    expect(judged('kubeletRssKb', 2_000_000, six(90_000))).toMatchObject({
      verdict: 'cured',
      provisional: true,
    });
    expect(judged('kubeletRssKb', 2_000_000, six(1_000_001)).verdict).toBe('not-cured');
    // 30 MB in ten minutes rise out of the noise of a collector.
    expect(
      judged(
        'kubeletRssKb',
        2_000_000,
        [0, 1, 2, 3, 4, 5].map((n) => 90_000 + n * 6144),
      ).verdict,
    ).toBe('relieved');
  });

  it('counts exited containers', () => {
    expect(judged('exitedContainers', 4000, six(40), { atMost: 100 })).toMatchObject({
      verdict: 'cured',
      provisional: true,
    });
    expect(judged('exitedContainers', 4000, six(499)).verdict).toBe('cured');
    expect(judged('exitedContainers', 4000, six(500)).verdict).toBe('relieved');
    expect(judged('exitedContainers', 4000, [20, 40, 60, 80, 90, 99], { atMost: 100 }).verdict).toBe(
      'relieved',
    );
  });

  it('knows that more available memory is better', () => {
    expect(judged('availablePercent', 3, six(30), { atLeast: 20 })).toMatchObject({
      verdict: 'cured',
      provisional: false,
    });
    expect(judged('availablePercent', 3, six(20), { atLeast: 20 }).verdict).toBe('cured');
    expect(judged('availablePercent', 4, six(12), { atLeast: 20 }).verdict).toBe('relieved');
    expect(judged('availablePercent', 4, six(11.9), { atLeast: 20 }).verdict).toBe('not-cured');
    expect(judged('availablePercent', 3, six(10)).verdict).toBe('cured');
    expect(judged('availablePercent', 3, six(9.9)).findings[0]).toMatchObject({ threshold: 10 });
  });

  it('takes directories and stalls as they are', () => {
    expect(judged('live', 20_000, six(9999)).verdict).toBe('cured');
    expect(judged('live', 20_000, six(10_000)).verdict).toBe('relieved');
    expect(judged('stalledPercent', 40, six(5)).verdict).toBe('cured');
    expect(judged('stalledPercent', 40, six(20)).verdict).toBe('relieved');
    expect(judged('abandonedScopes', 90, six(49)).verdict).toBe('cured');
  });

  it('wants throttling over within three minutes, and says so', () => {
    const early = 'throttled share within three minutes of the treatment';
    const cured = judged('throttledRatio', 0.9, six(0.01));
    const late = judged('throttledRatio', 0.9, [0.9, 0.9, 0.01, 0.01, 0.01, 0.01]);

    expect(cured).toMatchObject({ verdict: 'cured', provisional: false });
    expect(cured.findings).toContainEqual(expect.objectContaining({ fact: early, speaks: 'for' }));
    expect(late).toMatchObject({ verdict: 'cured', provisional: true });
    expect(late.findings).toContainEqual(
      expect.objectContaining({ fact: early, value: 0.9, speaks: 'against' }),
    );
    expect(judged('throttledRatio', 0.9, six(0.3)).verdict).toBe('relieved');
  });

  it('looks for early throttling also beside another promise, where there was some; from the end of the treatment', () => {
    const was = sample(-1, 20_000, { throttledRatio: 0.5 });
    const looks = [4, 6, 8, 10, 12, 14].map((minute) => sample(minute, 258, { throttledRatio: 0 }));
    const fact = 'throttled share within three minutes of the treatment';
    const findingsOf = (startedAt: string, present = was) =>
      judge(present, looks, expects, thresholds, { startedAt }).findings.filter(
        (finding) => finding.fact === fact,
      );

    expect(findingsOf(new Date(start).toISOString())).toMatchObject([
      { value: 'not seen', speaks: 'against' },
    ]);
    expect(findingsOf(new Date(start + 60_000).toISOString())).toMatchObject([{ value: 0, speaks: 'for' }]);
    expect(findingsOf(new Date(start).toISOString(), sample(-1, 20_000, { throttledRatio: 0.24 }))).toEqual(
      [],
    );
  });
});

describe('the looks', () => {
  it('fill the window, begin within a minute, and never wait longer than the lease lives', () => {
    const { verification } = cluster;

    expect(looksIn(verification)).toEqual({ planned: 6, first: 60, between: 108 });
    expect(looksIn({ ...verification, windowSeconds: 2, samples: 5 })).toEqual({
      planned: 5,
      first: 1,
      between: 1,
    });
    expect(looksIn({ ...verification, windowSeconds: 3600, samples: 5 })).toEqual({
      planned: 6,
      first: 60,
      between: 708,
    });
  });

  it('ask for everything within three minutes and at the end, and otherwise for what is compared', () => {
    const asked = (signal: Signal) =>
      [0, 1, 2, 3, 4, 5, 6].map((index) => {
        const { profile, windowSeconds, services } = lookAt(index, signal, cluster);
        return `${profile} ${windowSeconds}${services ? ' services' : ''}`;
      });
    const all = 'full 2 services';

    expect(asked('dying')).toEqual(['quick 0', all, 'quick 0', 'quick 0', 'quick 0', all, all]);
    expect(asked('leakedScopes')[0]).toBe('full 0');
    expect(asked('throttledRatio')[0]).toBe('full 2');
    expect(asked('kubeletRssKb')[0]).toBe('quick 0 services');
    expect(asked('exitedContainers')[0]).toBe('quick 0 services');
    expect(asked('abandonedScopes')[0]).toBe('quick 0 services');
  });
});

describe('a second cause', () => {
  const leak = {
    cgroups: cgroups(100, 20_000),
    slices: slices({ path: '/system.slice', dying: 20_000 }),
  };
  const first = diagnose(evidenceWith(leak), thresholds);
  const found = (evidence: Evidence, settings = cluster) =>
    newCauses(first, evidence, settings).map(({ cause }) => cause);

  it('that the first diagnosis did not have is found, and what it had is not found again', () => {
    const both = evidenceWith({ ...leak, agents: loopingAgent() });

    expect(first.cause).toBe('dying-memcgs');
    expect(found(both)[0]).toBe('orphaned-agent');
    expect(found(both)).not.toContain('dying-memcgs');
    expect(newCauses(diagnose(both, thresholds), both, cluster)).toEqual([]);
    expect(newCauses(undefined, evidenceWith(leak), cluster)).toMatchObject([{ cause: 'dying-memcgs' }]);
  });

  it('is not health, no guess, and nothing of a rule that only watches', () => {
    const both = evidenceWith({ ...leak, agents: loopingAgent() });

    expect(found(evidenceWith())).toEqual([]);
    expect(found(evidenceWith({ cgroups: missing }))).toEqual([]);
    expect(found(both, clusterWith({ thresholds: { leastConfidence: 0.99 } }))).toEqual([]);
    expect(found(both, clusterWith({ diagnosis: { shadow: ['orphaned-agent', 'agent-leak'] } }))).toEqual([]);
  });
});

describe('sampleOf', () => {
  const at = new Date(start);
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
    const kubelet = {
      status: 'ok',
      value: {
        unit: 'kubelet.service',
        active: 'active',
        sub: 'running',
        result: 'success',
        rssKb: 7,
        healthz: 200,
      },
    };
    const reclaim = {
      status: 'ok',
      value: {
        windowMs: 2000,
        pgscanDirect: 0,
        pgscanKswapd: 0,
        pgstealDirect: 0,
        pgstealKswapd: 0,
        allocstall: 9,
        pgmajfault: 0,
      },
    };

    expect(sampleOf(evidenceWith({ kubelet, reclaim }), at)).toEqual({
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
    const kubelet = { status: 'ok', value: { active, healthz } };

    expect(sampleOf(evidenceWith({ kubelet }), at).kubelet).toBe(health);
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
    [[[4, 4]], null],
  ])('takes of throttled cgroups %j the worst that says something: %s', (top, ratio) => {
    expect(sampleOf(evidenceWith({ throttling: throttled(...top) }), at).throttledRatio).toBe(ratio);
  });

  it('goes by the tasks that stall in part where the kernel does not say when all do', () => {
    const stall = (avg10: number) => ({ avg10, avg60: 0, avg300: 0, totalUs: 0 });
    const one = { some: stall(30), full: null };
    const pressure = { status: 'ok', value: { memory: one, io: one, cpu: one } };

    expect(sampleOf(evidenceWith({ pressure }), at).stalledPercent).toBe(30);
  });
});
