import type { Finding } from '../causes/cause.ts';
import { slopePerHour } from '../slope.ts';
import type { Thresholds } from '../thresholds.ts';
import type { Watched } from './signals.ts';

export type Seen = { at: number; value: number };
export type GrowthAfter = { grows: boolean; findings: Finding[] };

/** Whether the figure grows again after the treatment, as far as the looks can tell that from noise. */
export function growthAfter(seen: Seen[], { fact, growth }: Watched, thresholds: Thresholds): GrowthAfter {
  if (growth === undefined) return { grows: false, findings: [] };
  const hours = secondsOf(seen) / 3600;
  const perHour = slopePerHour(seen);
  const healthy = growth.perHour(thresholds);
  const resolution = growth.noise / hours;
  const limit = Math.max(healthy, resolution);
  // The looks at one moment have no slope, and no slope is no cure.
  const grows = !(perHour <= limit);
  const finding: Finding = {
    fact: `growth of ${fact}, per hour`,
    value: Number.isNaN(perHour) ? 'unknown' : Math.round(perHour),
    threshold: Number.isFinite(limit) ? Math.round(limit) : 'none: the window has no length',
    speaks: grows ? 'against' : 'for',
    source: resolution > healthy ? 'the least that this short window can tell from noise' : growth.source,
  };
  return { grows, findings: [finding] };
}

export function secondsOf(seen: readonly Seen[]): number {
  return ((seen.at(-1)?.at ?? 0) - (seen[0]?.at ?? 0)) / 1000;
}
