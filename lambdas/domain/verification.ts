import * as z from 'zod';
import type { Finding } from './causes/cause.ts';
import type { Evidence } from './evidence/evidence.ts';
import { probeValue } from './evidence/probe.ts';
import { leakedScopes } from './evidence/producers.ts';
import type { Cluster } from './settings.ts';
import { slopePerHour } from './slope.ts';
import { sourceOf } from './thresholds.ts';
import type { Expects, Signal } from './treatments/treatment.ts';

/** One look at the node after a treatment. A figure that was not seen is `null`, never zero. */
export const Sample = z.object({
  at: z.iso.datetime(),
  dying: z.number().nullable(),
  /** Scope and session directories without a process; only looked at where a rung promises something of them. */
  leakedScopes: z.number().nullable().default(null),
  /** Scopes whose login is over and that have processes; only looked at where a rung promises something of them. */
  abandonedScopes: z.number().nullable().default(null),
  /** Resident memory of the kubelet, in KiB, and exited containers: only looked at where a rung promises something of them. */
  kubeletRssKb: z.number().nullable().default(null),
  exitedContainers: z.number().nullable().default(null),
  availablePercent: z.number().nullable(),
  stalledPercent: z.number().nullable(),
  bootId: z.string().nullable(),
  /** Why the figures are missing. */
  gap: z.string().optional(),
});
export type Sample = z.infer<typeof Sample>;

export const Verdict = z.enum(['looking', 'cured', 'relieved', 'not-cured']);
export type Verdict = z.infer<typeof Verdict>;

export type Judgement = { verdict: Exclude<Verdict, 'looking'>; provisional: boolean; findings: Finding[] };

/** Fewer looks than this never prove a cure. */
export const leastSamples = 5;
/** Zombies that come and go on any node; a rise by fewer within one window is noise and no growth. */
const noise = 10;
/** A level that fell by less than this share of what it was has not fallen. */
const fallen = 0.5;
/** Percentage points by which a side signal may move against us before the treatment counts as having done harm. */
const harm = 10;

/** The figures that verification follows, from one piece of evidence; `gap` where there is none. */
export function sampleOf(evidence: Evidence | undefined, at: Date, gap?: string): Sample {
  const memory = evidence && probeValue(evidence.probes.memory);
  const pressure = evidence && probeValue(evidence.probes.pressure);
  const cgroups = evidence && probeValue(evidence.probes.cgroups);
  const sessions = evidence && probeValue(evidence.probes.sessions);
  return {
    at: at.toISOString(),
    dying: cgroups?.dying ?? null,
    leakedScopes: (evidence && leakedScopes(evidence)) ?? null,
    abandonedScopes: sessions?.abandonedScopes ?? null,
    kubeletRssKb: (evidence && probeValue(evidence.probes.kubelet)?.rssKb) ?? null,
    exitedContainers: (evidence && probeValue(evidence.probes.containers)?.exited) ?? null,
    availablePercent: memory ? Math.round((memory.availableKb * 1000) / memory.totalKb) / 10 : null,
    stalledPercent: pressure ? (pressure.memory.full?.avg10 ?? pressure.memory.some.avg10) : null,
    bootId: (evidence && probeValue(evidence.probes.host)?.bootId) ?? null,
    ...(gap === undefined ? {} : { gap }),
  };
}

/**
 * Whether a treatment helped, from the trend of the looks after it.
 *
 * cured: the level is where the rung said it would be, it does not grow, and no side signal got worse.
 * relieved: the level fell by half or more, but it grows on, or it stopped short; or the growth that the rung was to
 * stop has stopped, and the level is still too high. not-cured: anything else, missing looks among it. `provisional`: the window is too short to see the slowest growth that would still be a fault.
 */
export function judge(
  before: Sample,
  samples: Sample[],
  expects: Expects,
  thresholds: Cluster['thresholds'],
): Judgement {
  const { fact, floor } = signals[expects.signal];
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
    return judgement('not-cured');
  }
  if (before.bootId === null || before.bootId !== last.bootId) {
    const source = 'unknown, or the node booted or was exchanged while it was watched';
    findings.push({ fact: 'boot id', value: last.bootId ?? 'unknown', speaks: 'against', source });
    return judgement('not-cured');
  }

  const level = median(seen.slice(-3).map(({ value }) => value));
  const atMost = expects.atMost ?? floor(thresholds);
  const low = level <= atMost;
  const source = 'what the rung said it would do';
  findings.push({
    fact,
    value: level,
    threshold: atMost,
    speaks: low ? 'for' : 'against',
    source,
  });

  const growth = growthOf(seen, expects.signal, thresholds);
  findings.push(growth.finding);

  const harmed = sideFindings(before, last);
  findings.push(...harmed);
  if (harmed.some((finding) => finding.speaks === 'against')) return judgement('not-cured');
  if (low && !growth.grows) return judgement('cured', growth.provisional);
  const better = expects.level === 'holds' ? !growth.grows : level <= was * fallen;
  return judgement(better ? 'relieved' : 'not-cured');
}

/** What a look saw of this signal, in words. */
export function figureOf(sample: Sample | undefined, signal: Signal): string {
  return `${sample?.[signal] ?? 'an unknown number of'} ${signals[signal].fact}`;
}

type Watched = {
  fact: string;
  floor: (thresholds: Cluster['thresholds']) => number;
  /** Growth per hour that is healthy, with where that is set, and the rise within a window that is noise. */
  growth?: { perHour: (thresholds: Cluster['thresholds']) => number; source: string; noise: number };
};

/** The figures that can be followed, and the level that is healthy where the rung promises none. */
const signals: Record<Signal, Watched> = {
  leakedScopes: {
    fact: 'scope and session directories without a process',
    floor: ({ leakedScopes }) => leakedScopes - 1,
  },
  abandonedScopes: {
    fact: 'abandoned scopes of logins that are over',
    floor: ({ leakedScopes }) => leakedScopes - 1,
  },
  kubeletRssKb: {
    fact: 'KiB of memory of the kubelet',
    floor: ({ kubeletMb }) => kubeletMb * 1024,
    growth: {
      perHour: ({ kubeletMbPerDay }) => (kubeletMbPerDay * 1024) / 24,
      source: sourceOf('kubeletMbPerDay'),
      // It reads everything anew after a start.
      noise: 20 * 1024,
    },
  },
  exitedContainers: {
    fact: 'exited containers',
    floor: ({ exitedContainers }) => exitedContainers - 1,
    growth: {
      perHour: ({ exitedContainers }) => exitedContainers / 24,
      source: `a day's share of ${sourceOf('exitedContainers')}`,
      noise,
    },
  },
  dying: { fact: 'dying memory cgroups', floor: ({ dyingFloor }) => dyingFloor },
};

const dyingGrowth: NonNullable<Watched['growth']> = {
  perHour: ({ dyingPerHour }) => dyingPerHour,
  source: sourceOf('dyingPerHour'),
  noise,
};

type Growth = { grows: boolean; provisional: boolean; finding: Finding };

function growthOf(
  seen: { at: number; value: number }[],
  signal: Signal,
  thresholds: Cluster['thresholds'],
): Growth {
  const { fact, growth = dyingGrowth } = signals[signal];
  const healthyPerHour = growth.perHour(thresholds);
  const hours = ((seen.at(-1)?.at ?? 0) - (seen[0]?.at ?? 0)) / 3_600_000;
  const perHour = slopePerHour(seen);
  // What the window can tell from noise; above the healthy band the verdict is only as good as the window is long.
  const resolution = hours > 0 ? growth.noise / hours : Number.POSITIVE_INFINITY;
  const limit = Math.max(healthyPerHour, resolution);
  const grows = !(perHour <= limit);
  return {
    grows,
    provisional: resolution > healthyPerHour,
    finding: {
      fact: `growth of ${fact}, per hour`,
      value: Math.round(perHour),
      threshold: Number.isFinite(limit) ? Math.round(limit) : 'none: the window has no length',
      speaks: grows ? 'against' : 'for',
      source:
        resolution > healthyPerHour ? 'the least that this short window can tell from noise' : growth.source,
    },
  };
}

function sideFindings(before: Sample, last: Sample): Finding[] {
  const side = (fact: string, was: number | null, is: number | null, worse: number): Finding[] => {
    if (was === null) return [];
    if (is === null) {
      return [
        {
          fact,
          value: 'not seen',
          threshold: was,
          speaks: 'against',
          source: 'a missing look is never a cure',
        },
      ];
    }
    return [
      {
        fact,
        value: is,
        threshold: was,
        speaks: worse > harm ? 'against' : 'for',
        source: 'compared with before',
      },
    ];
  };
  const lost = (before.availablePercent ?? 0) - (last.availablePercent ?? 0);
  const stalled = (last.stalledPercent ?? 0) - (before.stalledPercent ?? 0);
  return [
    ...side('available memory, percent', before.availablePercent, last.availablePercent, lost),
    ...side('time stalled on memory, percent', before.stalledPercent, last.stalledPercent, stalled),
  ];
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.POSITIVE_INFINITY;
}
