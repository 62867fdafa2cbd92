import * as z from 'zod';
import type { Evidence } from '../evidence/evidence.ts';
import { probeValue } from '../evidence/probe.ts';
import { leakedScopes } from '../evidence/producers.ts';

const seen = z.number().nullable();
/** Not every look asks for everything, and an older incident did not know all of it. */
const sometimes = seen.default(null);

/** One look at the node after a treatment. A figure that was not seen is `null`, never zero. */
export const Sample = z.object({
  at: z.iso.datetime(),
  dying: seen,
  live: sometimes,
  /** Scope and session directories without a process. */
  leakedScopes: sometimes,
  /** Scopes whose login is over and that have processes. */
  abandonedScopes: sometimes,
  kubeletRssKb: sometimes,
  exitedContainers: sometimes,
  /** Of the worst cgroup: the share of its CFS periods in which it was throttled. */
  throttledRatio: sometimes,
  availablePercent: seen,
  stalledPercent: seen,
  /** Tasks that had to reclaim memory themselves. */
  directStallsPerSecond: sometimes,
  /** `well`, or what is wrong with it. */
  kubelet: z.string().nullable().default(null),
  /** As the API server says, where it was asked. */
  nodeReady: z.boolean().nullable().default(null),
  bootId: z.string().nullable(),
  /** Why the figures are missing. */
  gap: z.string().optional(),
});
export type Sample = z.infer<typeof Sample>;

/** Fewer periods than this say nothing of a share. */
const leastPeriods = 5;

/** The figures that verification follows, from one piece of evidence; `gap` where there is none. */
export function sampleOf(evidence: Evidence | undefined, at: Date, gap?: string): Sample {
  const memory = evidence && probeValue(evidence.probes.memory);
  const pressure = evidence && probeValue(evidence.probes.pressure);
  const cgroups = evidence && probeValue(evidence.probes.cgroups);
  const sessions = evidence && probeValue(evidence.probes.sessions);
  const kubelet = evidence && probeValue(evidence.probes.kubelet);
  return {
    at: at.toISOString(),
    dying: cgroups?.dying ?? null,
    live: cgroups?.live ?? null,
    leakedScopes: (evidence && leakedScopes(evidence)) ?? null,
    abandonedScopes: sessions?.abandonedScopes ?? null,
    kubeletRssKb: kubelet?.rssKb ?? null,
    exitedContainers: (evidence && probeValue(evidence.probes.containers)?.exited) ?? null,
    throttledRatio: (evidence && throttledRatioOf(evidence)) ?? null,
    availablePercent: memory ? Math.round((memory.availableKb * 1000) / memory.totalKb) / 10 : null,
    stalledPercent: pressure ? (pressure.memory.full?.avg10 ?? pressure.memory.some.avg10) : null,
    directStallsPerSecond: (evidence && directStallsOf(evidence)) ?? null,
    kubelet: (kubelet && kubeletHealth(kubelet)) ?? null,
    nodeReady: (evidence && readyOf(evidence)) ?? null,
    bootId: (evidence && probeValue(evidence.probes.host)?.bootId) ?? null,
    ...(gap === undefined ? {} : { gap }),
  };
}

function throttledRatioOf(evidence: Evidence): number | undefined {
  const throttling = probeValue(evidence.probes.throttling);
  if (throttling === undefined) return undefined;
  if (throttling.throttled === 0) return 0;
  const ratios = throttling.top
    .filter(({ periods }) => periods >= leastPeriods)
    .map(({ periods, throttledPeriods }) => throttledPeriods / periods);
  return ratios.length === 0 ? undefined : Math.round(Math.max(...ratios) * 1000) / 1000;
}

function directStallsOf(evidence: Evidence): number | undefined {
  const reclaim = probeValue(evidence.probes.reclaim);
  if (reclaim?.allocstall == null || reclaim.windowMs == null) return undefined;
  return Math.round((reclaim.allocstall * 10_000) / reclaim.windowMs) / 10;
}

function kubeletHealth({
  active,
  healthz,
}: {
  active: string | null;
  healthz: number | null;
}): string | undefined {
  if (active === null && healthz === null) return undefined;
  if (active !== null && active !== 'active') return active;
  return healthz === null || healthz === 200 ? 'well' : `healthz answers ${healthz}`;
}

function readyOf(evidence: Evidence): boolean | undefined {
  const conditions = probeValue(evidence.probes.nodeStatus)?.conditions ?? [];
  const ready = conditions.find(({ type }) => type === 'Ready');
  return ready && ready.status === 'True';
}
