import { describe, expect, it } from 'vitest';
import { Expects, type Signal } from '../../../lambdas/domain/treatments/treatment.ts';
import { secondsToSee } from '../../../lambdas/domain/verification/signals.ts';
import { judge, type Sample } from '../../../lambdas/domain/verification.ts';
import { clusterWith } from './sample-evidence.ts';
import { before, expects, sample, series, start } from './verification/sample-looks.ts';

const { thresholds } = clusterWith();
const verdictOf = (samples: Sample[]) => judge(before, samples, expects, thresholds).verdict;

describe('judge', () => {
  it('calls a low and flat level cured', () => {
    const judgement = judge(before, series(260, 258, 259, 258, 260, 258), expects, thresholds);

    expect(judgement).toMatchObject({ verdict: 'cured', provisional: false });
    expect(judgement.findings[0]).toMatchObject({ value: 258, threshold: 300, speaks: 'for' });
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

  it('calls no other verdict provisional than a cure', () => {
    const short = (dying: number) => [0, 1, 2, 3, 4].map((second) => sample(second / 60, dying));

    expect(judge(before, short(9000), expects, thresholds)).toMatchObject({
      verdict: 'relieved',
      provisional: false,
    });
    expect(judge(before, short(19_900), expects, thresholds)).toMatchObject({
      verdict: 'not-cured',
      provisional: false,
    });
  });

  it('goes by the last three looks: what took its time to come down has come down', () => {
    const high = Array<number>(6).fill(20_000);

    expect(verdictOf(series(...high, 258, 258, 258))).toBe('cured');
    expect(verdictOf(series(...high, 20_000, 258, 258))).toBe('cured');
    expect(verdictOf(series(...high, 20_000, 20_000, 258))).toBe('not-cured');
  });

  it('lets one odd look bend nothing', () => {
    expect(verdictOf(series(258, 258, 4000, 258, 258, 258))).toBe('cured');
    expect(verdictOf(series(258, 258, 258, 258, 4000, 258))).toBe('cured');
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
    const judgement = judge(was, looks, expects, thresholds);

    expect(judgement).toMatchObject({ verdict: 'not-cured', unseen: true });
    expect(judgement.findings).toEqual([expect.objectContaining({ speaks: 'against' })]);
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

  it('is sure of a window that is whole but for the wait before its first look', () => {
    const looked = (minutes: number) =>
      judge(
        before,
        [0, 1, 2, 3, minutes].map((minute) => sample(minute, 258)),
        expects,
        thresholds,
      ).provisional;

    // Growth by 60 an hour rises out of a noise of ten within ten minutes, of which eight are enough.
    expect([looked(8), looked(7.9)]).toEqual([false, true]);
  });

  it('is provisional on a node that may not grow at all: no window is long enough to see that', () => {
    const strict = clusterWith({ thresholds: { dyingPerHour: 0 } }).thresholds;

    expect(judge(before, series(258, 258, 258, 258, 258, 258), expects, strict)).toMatchObject({
      verdict: 'cured',
      provisional: true,
    });
    expect(secondsToSee('dying', strict)).toBe(7 * 86_400);
  });

  it('lets it grow by exactly what the settings call healthy, where the window can tell', () => {
    const hourly = (perHour: number) =>
      judge(
        before,
        [0, 1, 2, 3, 4, 5].map((hour) => sample(hour * 60, hour * perHour)),
        { ...expects, atMost: 1000 },
        thresholds,
      );

    expect(hourly(thresholds.dyingPerHour).verdict).toBe('cured');
    expect(hourly(thresholds.dyingPerHour + 1).verdict).toBe('relieved');
    expect(hourly(61).findings[1]).toMatchObject({
      value: 61,
      threshold: 60,
      speaks: 'against',
      source: 'settings thresholds.dyingPerHour',
    });
  });

  it('says where it goes by the noise, because the window is short', () => {
    const seconds = [0, 1, 2, 3, 4].map((second) => sample(second / 60, 258));

    expect(judge(before, seconds, expects, thresholds).findings[1]).toMatchObject({
      threshold: 9000,
      source: 'the least that this short window can tell from noise',
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

  it('goes by the growth of a kubelet that the settings allow, where the window is long enough to tell', () => {
    const kbPerHour = (thresholds.kubeletMbPerDay * 1024) / 24;
    const overTenHours = (perHour: number) =>
      judge(
        sample(-1, 18, { kubeletRssKb: 2_000_000 }),
        [0, 2, 4, 6, 8, 10].map((hour) =>
          sample(hour * 60, 18, { kubeletRssKb: 90_000 + Math.round(hour * perHour) }),
        ),
        Expects.parse({ text: '', signal: 'kubeletRssKb' }),
        thresholds,
      );

    expect(overTenHours(kbPerHour * 0.9)).toMatchObject({ verdict: 'cured', provisional: false });
    expect(overTenHours(kbPerHour * 1.1).verdict).toBe('relieved');
  });

  it('is provisional where what is an average was not watched until it settles', () => {
    const over = (seconds: number, signal: Signal, was: number, is: number) =>
      judge(
        sample(-1, 18, { [signal]: was }),
        [0, 0.25, 0.5, 0.75, 1].map((part) => sample((part * seconds) / 60, 18, { [signal]: is })),
        Expects.parse({ text: '', signal }),
        thresholds,
      );
    const [stalled, throttled] = [
      (seconds: number) => over(seconds, 'stalledPercent', 40, 0),
      (seconds: number) => over(seconds, 'throttledRatio', 0.9, 0),
    ];

    expect([stalled(48), throttled(144)]).toMatchObject([
      { verdict: 'cured', provisional: false },
      { verdict: 'cured', provisional: false },
    ]);
    expect([stalled(47), throttled(143)]).toMatchObject([
      { verdict: 'cured', provisional: true },
      { verdict: 'cured', provisional: true },
    ]);
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
    expect(judged('abandonedScopes', 90, six(50)).verdict).toBe('not-cured');
    expect(judged('leakedScopes', 90, six(49)).verdict).toBe('cured');
    expect(judged('leakedScopes', 90, six(50)).verdict).toBe('not-cured');
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

  it('holds early throttling to what the rung promised of it, and else to the threshold', () => {
    const early = (signal: Signal, atMost: number, throttledRatio: number, was = 0.9) =>
      judge(
        sample(-1, 20_000, { throttledRatio: was }),
        [0, 2, 4, 6, 8, 10].map((minute) => sample(minute, 258, { throttledRatio })),
        Expects.parse({ text: '', signal, atMost }),
        thresholds,
      ).findings.find(({ fact }) => fact === 'throttled share within three minutes of the treatment');

    expect(early('throttledRatio', 0.5, 0.4)).toMatchObject({ threshold: 0.5, speaks: 'for' });
    expect(early('throttledRatio', 0.1, 0.2, 0.2)).toMatchObject({ threshold: 0.1, speaks: 'against' });
    expect(early('dying', 300, 0.26)).toMatchObject({ threshold: 0.25, speaks: 'against' });
    expect(early('dying', 300, 0.25, 0.25)).toMatchObject({ threshold: 0.25, speaks: 'for' });
  });

  it('passes over the looks that did not ask for throttling', () => {
    const looks = [0, null, 0, 0, 0, 0].map((throttledRatio, index) =>
      sample(index * 2, 258, { throttledRatio }),
    );
    const was = sample(-1, 20_000, { throttledRatio: 0.5 });

    expect(judge(was, looks, expects, thresholds)).toMatchObject({ verdict: 'cured', provisional: false });
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
