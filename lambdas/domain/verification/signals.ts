import type { Thresholds } from '../thresholds.ts';
import type { Signal } from '../treatments/treatment.ts';
import type { Sample } from './sample.ts';

/** A figure that verification can follow. */
export type Watched = {
  fact: string;
  better: 'less' | 'more';
  /** The level that is healthy where the rung promises none, from the thresholds and what the level was. */
  healthy: (thresholds: Thresholds, was: number) => number;
  /** How it comes back where its producer is still there. Without: it is there at once, or it is not. */
  growth?: {
    /** The fastest growth that is healthy, and where that is set. */
    perHour: (thresholds: Thresholds) => number;
    source: string;
    /** A rise by less within one window comes and goes by itself. */
    noise: number;
  };
  /** What a look has to ask for to see it. */
  asks: 'quick' | 'full' | 'services';
  digits?: number;
};

/** Cgroups that come and go on any node within one window. */
const someCgroups = 10;
/** KiB by which the resident memory of a Go process moves with its collector: a margin of ours. */
const collectorKb = 20 * 1024;
const someContainers = 5;
/** What is there or not there is seen in the averages of the kernel after a minute, throttling after three. */
const averagesSeconds = 60;
export const throttlingSettlesSeconds = 180;

const cgroupGrowth = {
  perHour: ({ dyingPerHour }: Thresholds) => dyingPerHour,
  source: 'settings thresholds.dyingPerHour',
  noise: someCgroups,
};

export const signals: Readonly<Record<Signal, Watched>> = {
  dying: {
    fact: 'dying memory cgroups',
    better: 'less',
    healthy: ({ dyingFloor }) => dyingFloor,
    growth: cgroupGrowth,
    asks: 'quick',
  },
  live: {
    fact: 'memory cgroup directories',
    better: 'less',
    healthy: ({ liveCgroups }) => liveCgroups - 1,
    growth: cgroupGrowth,
    asks: 'quick',
  },
  leakedScopes: {
    fact: 'scope and session directories without a process',
    better: 'less',
    healthy: ({ leakedScopes }) => leakedScopes - 1,
    growth: cgroupGrowth,
    asks: 'full',
  },
  abandonedScopes: {
    fact: 'abandoned scopes of logins that are over',
    better: 'less',
    healthy: ({ leakedScopes }) => leakedScopes - 1,
    growth: cgroupGrowth,
    asks: 'services',
  },
  kubeletRssKb: {
    fact: 'KiB of memory of the kubelet',
    better: 'less',
    healthy: (_, was) => Math.round(was / 2),
    growth: {
      perHour: ({ kubeletMbPerDay }) => (kubeletMbPerDay * 1024) / 24,
      source: 'settings thresholds.kubeletMbPerDay',
      noise: collectorKb,
    },
    asks: 'services',
  },
  exitedContainers: {
    fact: 'exited containers',
    better: 'less',
    healthy: ({ exitedContainers }) => exitedContainers - 1,
    growth: {
      perHour: ({ exitedContainers }) => exitedContainers / 24,
      source: 'settings thresholds.exitedContainers, within a day',
      noise: someContainers,
    },
    asks: 'services',
  },
  throttledRatio: {
    fact: 'throttled share of the CPU periods of the worst cgroup',
    better: 'less',
    healthy: ({ throttledRatio }) => throttledRatio,
    asks: 'full',
    digits: 2,
  },
  availablePercent: {
    fact: 'available memory, percent',
    better: 'more',
    healthy: ({ availablePercent, evictionHeadroom }) => availablePercent * evictionHeadroom,
    asks: 'quick',
    digits: 1,
  },
  stalledPercent: {
    fact: 'time stalled on memory, percent',
    better: 'less',
    healthy: ({ memoryStallPercent }) => memoryStallPercent,
    asks: 'quick',
    digits: 1,
  },
};

/** How long a signal has to be watched until the slowest growth of it that is not healthy rises out of its noise. */
export function secondsToSee(signal: Signal, thresholds: Thresholds): number {
  const { growth } = signals[signal];
  if (growth === undefined) return signal === 'throttledRatio' ? throttlingSettlesSeconds : averagesSeconds;
  const perHour = growth.perHour(thresholds);
  return perHour > 0 ? Math.max(1, Math.ceil((growth.noise * 3600) / perHour)) : longest;
}
/** A node that may not grow at all is never watched for long enough. */
const longest = 7 * 86_400;

/** What a look saw of this signal, in words. */
export function figureOf(sample: Sample | undefined, signal: Signal): string {
  return `${sample?.[signal] ?? 'an unknown number of'} ${signals[signal].fact}`;
}
