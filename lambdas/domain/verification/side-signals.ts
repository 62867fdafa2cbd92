import type { Finding } from '../causes/cause.ts';
import type { Harm } from '../settings.ts';
import type { Signal } from '../treatments/treatment.ts';
import type { Sample } from './sample.ts';

type Side = {
  fact: string;
  signal: Exclude<keyof Sample, 'nodeReady' | 'at' | 'gap'>;
  /** What is worse now than it was, `undefined` where it may be; both were seen. */
  worse: (was: Sample, is: Sample, harm: Harm) => boolean;
  /** Worse means that the node itself is in trouble, and not only that a cure is none. */
  ofNode?: true;
};

/** Fewer cgroups than this more are no harm, whatever share of all they are. */
const someCgroups = 100;

const by = (signal: 'stalledPercent' | 'directStallsPerSecond', limit: (harm: Harm) => number) =>
  ((was, is, harm) => (is[signal] ?? 0) - (was[signal] ?? 0) > limit(harm)) satisfies Side['worse'];

/** What a treatment must not make worse, whatever else it was for. */
const sides: readonly Side[] = [
  {
    fact: 'available memory, percent',
    signal: 'availablePercent',
    worse: (was, is, harm) => (was.availablePercent ?? 0) - (is.availablePercent ?? 0) > harm.availablePoints,
    ofNode: true,
  },
  {
    fact: 'time stalled on memory, percent',
    signal: 'stalledPercent',
    worse: by('stalledPercent', ({ stalledPoints }) => stalledPoints),
    ofNode: true,
  },
  {
    fact: 'tasks that reclaim memory themselves, per second',
    signal: 'directStallsPerSecond',
    worse: by('directStallsPerSecond', ({ directStallsPerSecond }) => directStallsPerSecond),
    ofNode: true,
  },
  {
    fact: 'throttled share of the CPU periods of the worst cgroup',
    signal: 'throttledRatio',
    worse: (was, is, harm) =>
      ((is.throttledRatio ?? 0) - (was.throttledRatio ?? 0)) * 100 > harm.throttledPoints,
  },
  {
    fact: 'memory cgroup directories',
    signal: 'live',
    worse: (was, is, harm) => risen(was.live ?? 0, is.live ?? 0, harm),
  },
  {
    fact: 'dying memory cgroups',
    signal: 'dying',
    // A directory that is removed may leave a dying cgroup behind: that is one less, and one more.
    worse: (was, is, harm) =>
      risen((was.dying ?? 0) + (was.live ?? 0), (is.dying ?? 0) + (is.live ?? 0), harm),
  },
  {
    fact: 'the kubelet',
    signal: 'kubelet',
    worse: (was, is) => was.kubelet === 'well' && is.kubelet !== 'well',
    ofNode: true,
  },
];

function risen(was: number, is: number, { cgroupsPercent }: Harm): boolean {
  return is - was > Math.max(someCgroups, (was * cgroupsPercent) / 100);
}

/** The value of a side signal that was seen before and is not seen any more. */
export const notSeen = 'not seen';

/** How the side signals stand beside what they were. What was seen before and is not seen any more speaks against. */
export function sideFindings(before: Sample, last: Sample, target: Signal, harm: Harm): Finding[] {
  const findings = sides.flatMap(({ fact, signal, worse }): Finding[] => {
    const was = before[signal];
    const is = last[signal];
    if (signal === target || was == null) return [];
    if (is == null) {
      const source = 'a missing look is never a cure';
      return [{ fact, value: notSeen, threshold: was, speaks: 'against', source }];
    }
    const speaks = worse(before, last, harm) ? 'against' : 'for';
    return [
      { fact, value: is, threshold: was, speaks, source: 'compared with before; settings verification.harm' },
    ];
  });
  // Only the examination asks the API server for certain; the kubelet's own health stands in for it where it was not asked.
  if (before.nodeReady !== true || last.nodeReady === null) return findings;
  const ready: Finding = {
    fact: 'the node is Ready',
    value: last.nodeReady,
    speaks: last.nodeReady ? 'for' : 'against',
    source: 'condition of the node; it was Ready before',
  };
  return [...findings, ready];
}

/**
 * Whether the node is in trouble that it was not in before: short of memory, waiting for it, without its kubelet, not
 * Ready. What was not seen is no harm; it is no cure either.
 */
export function harms(before: Sample, last: Sample, target: Signal, harm: Harm): boolean {
  const worse = sides.some(
    (side) =>
      side.ofNode &&
      side.signal !== target &&
      before[side.signal] != null &&
      last[side.signal] != null &&
      side.worse(before, last, harm),
  );
  return worse || (before.nodeReady === true && last.nodeReady === false);
}

/** Whether a look that is to be judged by lacks what was seen before: one look can get lost. */
export function lacks(before: Sample, look: Sample, target: Signal): boolean {
  return [target, ...sides.map(({ signal }) => signal)].some(
    (signal) => before[signal] != null && look[signal] == null,
  );
}
