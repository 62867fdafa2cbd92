import type { Evidence } from './evidence.ts';
import { probeValue } from './probe.ts';
import type { SeriesName } from './trend.ts';

/** Percent of all CPU time that was spent in direct reclaim in the window. */
export function directReclaimPercent(evidence: Evidence): number | undefined {
  return probeValue(evidence.probes.load)?.shares.directReclaimPercent ?? undefined;
}

/** Times that a task had to reclaim for itself, per second of the window; where it was not timed, all that were seen. */
export function allocstallsPerSecond(evidence: Evidence): number | undefined {
  return perSecond(evidence, 'allocstall');
}

export function majorFaultsPerSecond(evidence: Evidence): number | undefined {
  return perSecond(evidence, 'pgmajfault');
}

/**
 * Percent of the last minute in which every task waited for memory; where the kernel does not say, in which some did; where
 * its averages were not read, of the window.
 */
export function memoryStallPercent(evidence: Evidence): number | undefined {
  return minuteStallPercent(evidence) ?? watchedStallPercent(evidence);
}

export function minuteStallPercent(evidence: Evidence): number | undefined {
  const memory = probeValue(evidence.probes.pressure)?.memory;
  return memory === undefined ? undefined : (memory.full?.avg60 ?? memory.some.avg60);
}

/** Percent of the window in which some task waited for memory. */
export function watchedStallPercent(evidence: Evidence): number | undefined {
  return probeValue(evidence.probes.load)?.shares.memoryStallPercent ?? undefined;
}

type Available = { totalKb: number; availableKb: number };

/** What of the memory is available: as the node says, and after that as somebody has written it down. */
export function availableMemory(evidence: Evidence): Available[] {
  const read = probeValue(evidence.probes.memory);
  const { totalKb, availableKb } = probeValue(evidence.probes.observations)?.memory ?? {};
  const told = !totalKb || availableKb == null ? [] : [{ totalKb, availableKb }];
  return read === undefined ? told : [read, ...told];
}

/** The middle of what a metric showed; a single peak does not move it. */
export function usualLevel(evidence: Evidence, name: SeriesName): number | undefined {
  const values = (probeValue(evidence.probes.trend)?.series[name]?.points ?? [])
    .map(([, value]) => value)
    .sort((a, b) => a - b);
  return values[Math.floor((values.length - 1) / 2)];
}

function perSecond(evidence: Evidence, counter: 'allocstall' | 'pgmajfault'): number | undefined {
  const reclaim = probeValue(evidence.probes.reclaim);
  const counted = reclaim?.[counter];
  return counted == null ? undefined : (counted * 1000) / (reclaim?.windowMs ?? 1000);
}
