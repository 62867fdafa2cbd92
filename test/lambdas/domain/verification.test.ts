import { describe, expect, it } from 'vitest';
import { judge, type Sample, sampleOf } from '../../../lambdas/domain/verification.ts';
import { clusterWith, evidenceWith, missing } from './sample-evidence.ts';

const { thresholds } = clusterWith();
const expects = { text: 'few are left', signal: 'dying' as const, atMost: 300, level: 'falls' as const };
const start = Date.parse('2026-11-21T06:30:00Z');

function sample(minute: number, dying: number | null, more: Partial<Sample> = {}): Sample {
  const at = new Date(start + minute * 60_000).toISOString();
  const calm = {
    leakedScopes: 0,
    abandonedScopes: 0,
    kubeletRssKb: 90_000,
    exitedContainers: 1,
    availablePercent: 60,
    stalledPercent: 0,
  };
  return { at, dying, ...calm, bootId: 'boot-1', ...more };
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
  });

  it('calls a level that did not fall, or rose, not cured', () => {
    expect(verdictOf(series(19_900, 19_900, 19_900, 19_900, 19_900, 19_900))).toBe('not-cured');
    expect(verdictOf(series(20_000, 21_000, 22_000, 23_000, 24_000, 25_000))).toBe('not-cured');
  });

  it('lets one odd look bend nothing', () => {
    expect(verdictOf(series(258, 258, 4000, 258, 258, 258))).toBe('cured');
    expect(verdictOf(series(258, 258, 258, 258, 258, 4000))).toBe('cured');
    expect(verdictOf(series(9000, 9000, 9000, 9000, 9000, 258))).toBe('relieved');
  });

  it('is content with exactly what the rung promised, and with no more', () => {
    expect(verdictOf(series(300, 300, 300, 300, 300, 300))).toBe('cured');
    expect(verdictOf(series(301, 301, 301, 301, 301, 301))).toBe('relieved');
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
    expect(verdictOf([])).toBe('not-cured');
  });

  it('does not credit a treatment with a reboot', () => {
    const samples = series(18, 18, 18, 18, 18).concat(sample(12, 18, { bootId: 'boot-2' }));

    expect(verdictOf(samples)).toBe('not-cured');
  });

  it.each([
    ['memory ran low', { availablePercent: 40 }],
    ['tasks began to stall', { stalledPercent: 15 }],
    ['a side signal is not seen any more', { stalledPercent: null }],
  ])('does not call it cured when %s', (_, more) => {
    const samples = series(258, 258, 258, 258, 258).concat(sample(10, 258, more));

    expect(verdictOf(samples)).toBe('not-cured');
  });

  it('is provisional where the window is too short to see slow growth', () => {
    const samples = [0, 1, 2, 3, 4].map((second) => sample(second / 60, 258));

    expect(judge(before, samples, expects, thresholds)).toMatchObject({
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

describe('a restart of the kubelet', () => {
  const promise = {
    text: 'half of it',
    signal: 'kubeletRssKb' as const,
    atMost: 300_000,
    level: 'falls' as const,
  };
  const looks = (...values: number[]) =>
    values.map((kubeletRssKb, index) => sample(index * 2, 18, { kubeletRssKb }));
  const judged = (...values: number[]) =>
    judge(sample(-1, 18, { kubeletRssKb: 600_000 }), looks(...values), promise, thresholds);

  it('is cured by memory that stays down, and only provisionally: ten minutes do not show 100 MB a day', () => {
    const judgement = judged(90_000, 100_000, 103_000, 104_000, 104_500, 105_000);

    expect(judgement).toMatchObject({ verdict: 'cured', provisional: true });
    expect(judgement.findings[0]).toMatchObject({ fact: 'KiB of memory of the kubelet', value: 104_500 });
  });

  it('has relieved it where the memory comes straight back', () => {
    expect(judged(90_000, 120_000, 150_000, 180_000, 210_000, 240_000).verdict).toBe('relieved');
  });

  it('has not cured one that holds as much as before', () => {
    expect(judged(590_000, 590_000, 590_000, 590_000, 590_000, 590_000).verdict).toBe('not-cured');
  });
});

describe('pruning containers', () => {
  const promise = { text: 'few', signal: 'exitedContainers' as const, atMost: 499, level: 'falls' as const };
  const judged = (...values: (number | null)[]) =>
    judge(
      sample(-1, 18, { exitedContainers: 900 }),
      values.map((exitedContainers, index) => sample(index * 2, 18, { exitedContainers })),
      promise,
      thresholds,
    ).verdict;

  it('is judged by the exited containers', () => {
    expect(judged(480, 480, 481, 480, 480, 480)).toBe('cured');
    expect(judged(600, 600, 600, 600, 600, 600)).toBe('not-cured');
    expect(judged(480, null, 480, null, 480, 480)).toBe('not-cured');
  });
});

describe('sampleOf', () => {
  const at = new Date(start);

  it('shows what was not seen as unknown, with the reason, and never as zero', () => {
    const unknown = {
      dying: null,
      leakedScopes: null,
      abandonedScopes: null,
      kubeletRssKb: null,
      exitedContainers: null,
      availablePercent: null,
      stalledPercent: null,
      bootId: null,
    };
    const blind = evidenceWith({
      host: missing,
      cgroups: missing,
      memory: missing,
      pressure: missing,
      unpopulated: missing,
      sessions: missing,
      kubelet: missing,
      containers: missing,
    });

    expect(sampleOf(blind, at)).toEqual({ at: at.toISOString(), ...unknown });
    expect(sampleOf(undefined, at, 'no answer')).toEqual({
      at: at.toISOString(),
      ...unknown,
      gap: 'no answer',
    });
  });

  it('goes by the tasks that stall in part where the kernel does not say when all do', () => {
    const stall = (avg10: number) => ({ avg10, avg60: 0, avg300: 0, totalUs: 0 });
    const one = { some: stall(30), full: null };
    const pressure = { status: 'ok', value: { memory: one, io: one, cpu: one } };

    expect(sampleOf(evidenceWith({ pressure }), at).stalledPercent).toBe(30);
  });
});
