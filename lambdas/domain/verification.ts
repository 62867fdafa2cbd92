import * as z from 'zod';
import type { Finding } from './causes/cause.ts';
import { Harm } from './settings.ts';
import type { Thresholds } from './thresholds.ts';
import type { Expects } from './treatments/treatment.ts';
import { growthAfter, secondsOf } from './verification/growth-after.ts';
import type { Sample } from './verification/sample.ts';
import { harms, notSeen, sideFindings } from './verification/side-signals.ts';
import { secondsToSee, signals, throttlingSettlesSeconds, type Watched } from './verification/signals.ts';

export { Sample, sampleOf } from './verification/sample.ts';
export { figureOf } from './verification/signals.ts';

export const Verdict = z.enum(['looking', 'cured', 'relieved', 'not-cured']);
export type Verdict = z.infer<typeof Verdict>;

export type Judgement = {
  verdict: Exclude<Verdict, 'looking'>;
  provisional: boolean;
  /** Not cured for want of looks: whether it helped is not known, and nothing heavier is done on that. */
  unseen?: true;
  /** Not cured, and the node got worse: nothing but a call for a person follows. */
  harmed?: true;
  findings: Finding[];
};

type Watching = { harm?: Harm; startedAt?: string | undefined };

/** Fewer looks than this never prove a cure. */
export const leastSamples = 5;
/** A level that covered less than this share of its way has not moved. */
const moved = 0.5;
/** The first look comes a little after the treatment: so much of a window is the window. */
const wholeWindow = 0.8;

/**
 * Whether a treatment helped, from the trend of the looks after it.
 *
 * cured: the level is where the rung said it would be, it does not grow, and no side signal got worse.
 * relieved: the level fell by half or more, but it grows on, or it stopped short; or the growth that the rung was to
 * stop has stopped, and the level is still too high. not-cured: anything else, missing looks among it. `provisional`: the
 * looks were too short to see the slowest growth that would still be a fault, or for what is an average to settle; or
 * throttling took longer than it should to be over.
 *
 * @param watching how much worse the side signals may get, and when the treatment had ended; without that, the first
 *   look counts as its end
 */
export function judge(
  before: Sample,
  samples: Sample[],
  expects: Expects,
  thresholds: Thresholds,
  { harm = Harm.parse({}), startedAt }: Watching = {},
): Judgement {
  const watched = signals[expects.signal];
  const seen = samples.flatMap(({ at, [expects.signal]: value }) =>
    value === null ? [] : [{ at: Date.parse(at), value }],
  );
  const was = before[expects.signal];
  const last = samples.at(-1);
  const findings: Finding[] = [];
  const judgement = (verdict: Judgement['verdict'], provisional = false): Judgement => ({
    verdict,
    provisional,
    findings,
  });

  if (seen.length < leastSamples || last?.[expects.signal] == null || was === null) {
    findings.push({
      fact: 'looks that saw the count',
      value: seen.length,
      threshold: leastSamples,
      speaks: 'against',
      source: 'a missing look is never a cure',
    });
    return { ...judgement('not-cured'), unseen: true };
  }
  if (before.bootId === null || before.bootId !== last.bootId) {
    const source = 'unknown, or the node booted or was exchanged while it was watched';
    findings.push({ fact: 'boot id', value: last.bootId ?? 'unknown', speaks: 'against', source });
    return { ...judgement('not-cured'), unseen: true };
  }

  const level = median(seen.slice(-3).map(({ value }) => value));
  const limit = expects.atMost ?? expects.atLeast ?? watched.healthy(thresholds, was);
  const reached = within(level, limit, watched);
  findings.push({
    fact: watched.fact,
    value: shown(level, watched),
    threshold: limit,
    speaks: reached ? 'for' : 'against',
    source: 'what the rung said it would do',
  });
  const growth = growthAfter(seen, watched, thresholds);
  findings.push(...growth.findings);
  const early = earlyThrottling(before, samples, expects, thresholds.throttledRatio, startedAt);
  findings.push(...early);
  const sides = sideFindings(before, last, expects.signal, harm);
  findings.push(...sides);

  const against = sides.filter(({ speaks }) => speaks === 'against');
  if (against.length > 0) {
    const seenWorse = against.some(({ value }) => value !== notSeen);
    return {
      ...judgement('not-cured'),
      ...(seenWorse || !reached ? {} : { unseen: true }),
      ...(harms(before, last, expects.signal, harm) ? { harmed: true } : {}),
    };
  }
  if (reached && !growth.grows) {
    const needed = Math.max(expects.windowSeconds ?? 0, secondsToSee(expects.signal, thresholds));
    const short = secondsOf(seen) < needed * wholeWindow;
    return judgement('cured', short || early.some(({ speaks }) => speaks === 'against'));
  }
  const better = expects.level === 'holds' ? !growth.grows : cameHalfWay(was, level, limit, watched);
  return judgement(better ? 'relieved' : 'not-cured');
}

function within(level: number, limit: number, { better }: Watched): boolean {
  return better === 'less' ? level <= limit : level >= limit;
}

/** Less by half, or, where more is better, half of the way to where it should be. */
function cameHalfWay(was: number, level: number, limit: number, { better }: Watched): boolean {
  return better === 'less' ? level <= was * moved : level >= was + (limit - was) * moved;
}

/**
 * Throttling ends with its cause, within three minutes. Looked at where there was some, and where a rung promised
 * something of it; a look that was not made in time speaks against.
 */
function earlyThrottling(
  before: Sample,
  samples: Sample[],
  { signal, atMost }: Expects,
  threshold: number,
  startedAt: string | undefined,
): Finding[] {
  const limit = signal === 'throttledRatio' ? (atMost ?? threshold) : threshold;
  if (signal !== 'throttledRatio' && !((before.throttledRatio ?? 0) >= threshold)) return [];
  const start = Date.parse(startedAt ?? samples[0]?.at ?? before.at);
  const early = samples.findLast(
    ({ at, throttledRatio }) =>
      throttledRatio !== null && Date.parse(at) - start <= throttlingSettlesSeconds * 1000,
  );
  const ratio = early?.throttledRatio ?? null;
  return [
    {
      fact: 'throttled share within three minutes of the treatment',
      value: ratio ?? 'not seen',
      threshold: limit,
      speaks: ratio !== null && ratio <= limit ? 'for' : 'against',
      source: 'settings thresholds.throttledRatio; quota is given anew in every period of 100 ms',
    },
  ];
}

function shown(value: number, { digits = 0 }: Watched): number {
  return Number(value.toFixed(digits));
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.POSITIVE_INFINITY;
}
