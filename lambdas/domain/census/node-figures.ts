import { type CensusMetric, censusMetrics } from '../around/census-metrics.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { probeValue } from '../evidence/probe.ts';

/** Series that the quick profile tells, in the order of the settings. */
export const quickSeries = ['dying', 'live', 'availableKb', 'slabUnreclaimableKb', 'percpuKb'] as const;
export type QuickSeries = (typeof quickSeries)[number];

/** One figure of one node, in the unit of its metric. */
export type Figure = { metric: string; unit: CensusMetric['unit']; value: number };

/** What is published of one node. A figure that was not read is left out: it is never a zero. */
export function figuresOf(evidence: Evidence, wanted: readonly QuickSeries[]): Figure[] {
  const cgroups = probeValue(evidence.probes.cgroups);
  const memory = probeValue(evidence.probes.memory);
  const told: Record<QuickSeries, number | undefined> = {
    dying: cgroups?.dying,
    live: cgroups?.live,
    availableKb: memory?.availableKb,
    slabUnreclaimableKb: memory?.slabUnreclaimableKb,
    percpuKb: memory?.percpuKb,
  };
  return quickSeries.flatMap((series) => {
    const value = told[series];
    if (value === undefined || !wanted.includes(series)) return [];
    const { metric, unit, scale } = censusMetrics[series];
    return [{ metric, unit, value: Math.round(value / scale) }];
  });
}
