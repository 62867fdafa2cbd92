import type { Evidence, ProbeName } from './evidence.ts';
import { probeValue } from './probe.ts';

/** Something that cannot be true, and the probes that say it together: at least one of them is wrong. */
export type Contradiction = { probes: readonly ProbeName[]; says: string };

/**
 * How far a slice may be above the node: its count is read some seconds later, and in those a busy node makes thousands.
 * A count beyond both of these is no matter of time.
 */
const drift = { times: 2, dying: 20_000 };
/** Figures of /proc/meminfo are not taken at one moment either. */
const roundingKb = 1024;
/** Counters of a window are read cgroup by cgroup; the two of one cgroup come from the same read, but for a period. */
const periodsApart = 1;

/**
 * What in this evidence contradicts itself. Only what no timing and no rounding explains: two reads some seconds apart,
 * a kubelet that was killed a moment ago and a node that still counts as Ready are none.
 */
export function contradictionsIn(evidence: Evidence): Contradiction[] {
  return [
    memoryBeyondTotal,
    slicesBeyondNode,
    kubeletGoneButHealthy,
    readyWithoutKubelet,
    throttledBeyondPeriods,
    killsOfKubelet,
  ].flatMap((check) => check(evidence) ?? []);
}

function memoryBeyondTotal(evidence: Evidence): Contradiction | undefined {
  const memory = probeValue(evidence.probes.memory);
  if (memory === undefined) return undefined;
  const parts = ['availableKb', 'cachedKb', 'slabReclaimableKb', 'slabUnreclaimableKb', 'percpuKb'] as const;
  const part = parts.find((name) => memory[name] > memory.totalKb + roundingKb);
  if (part === undefined) return undefined;
  return {
    probes: ['memory'],
    says: `memory.${part} is ${memory[part]} KiB, of ${memory.totalKb} KiB in all`,
  };
}

function slicesBeyondNode(evidence: Evidence): Contradiction | undefined {
  const cgroups = probeValue(evidence.probes.cgroups);
  const slices = probeValue(evidence.probes.slices);
  if (cgroups === undefined || slices === undefined) return undefined;
  const most = Math.max(cgroups.dying * drift.times, cgroups.dying + drift.dying);
  const slice = slices.entries.find(({ dying }) => (dying ?? 0) > most);
  if (slice === undefined) return undefined;
  return {
    probes: ['cgroups', 'slices'],
    says: `${slice.path} has ${slice.dying} dying memory cgroups, and the whole node ${cgroups.dying}`,
  };
}

function kubeletGoneButHealthy(evidence: Evidence): Contradiction | undefined {
  const kubelet = probeValue(evidence.probes.kubelet);
  if (kubelet?.healthz !== 200 || !isGone(kubelet.active)) return undefined;
  return {
    probes: ['kubelet'],
    says: `the unit of the kubelet is ${kubelet.active}, and its health endpoint answers 200`,
  };
}

/** The API server takes 40 s to notice; what was killed may have been killed within them. */
function readyWithoutKubelet(evidence: Evidence): Contradiction | undefined {
  const kubelet = probeValue(evidence.probes.kubelet);
  const ready = probeValue(evidence.probes.nodeStatus)?.conditions.find(({ type }) => type === 'Ready');
  if (ready?.status !== 'True' || kubelet === undefined || !isGone(kubelet.active)) return undefined;
  const mayBeFresh =
    kubelet.execMainStatus !== 0 || (probeValue(evidence.probes.oomKills)?.ofKubelet ?? 0) > 0;
  if (mayBeFresh || kubelet.result !== 'success') return undefined;
  return {
    probes: ['kubelet', 'nodeStatus'],
    says: `the kubelet was stopped in good order (${kubelet.active}), and the API server calls the node Ready; if somebody stopped it within the last minute, look again`,
  };
}

function throttledBeyondPeriods(evidence: Evidence): Contradiction | undefined {
  const cgroup = probeValue(evidence.probes.throttling)?.top.find(
    ({ periods, throttledPeriods }) => throttledPeriods > periods + periodsApart,
  );
  if (cgroup === undefined) return undefined;
  return {
    probes: ['throttling'],
    says: `${cgroup.path} was throttled in ${cgroup.throttledPeriods} of ${cgroup.periods} periods`,
  };
}

function killsOfKubelet(evidence: Evidence): Contradiction | undefined {
  const kills = probeValue(evidence.probes.oomKills);
  if (kills === undefined || kills.ofKubelet === null || kills.ofKubelet <= kills.seen) return undefined;
  return {
    probes: ['oomKills'],
    says: `${kills.ofKubelet} OOM kills of the kubelet were seen, of ${kills.seen} in all`,
  };
}

/** Not on its way up or down, nor between two restarts. */
function isGone(active: string | null): boolean {
  return active === 'inactive' || active === 'failed';
}

/** The same evidence without these probes: what is left is what a verdict may stand on. */
export function withoutProbes(evidence: Evidence, probes: readonly ProbeName[], reason: string): Evidence {
  const gaps = Object.fromEntries(probes.map((probe) => [probe, { status: 'failed', reason } as const]));
  return { ...evidence, probes: { ...evidence.probes, ...gaps } };
}
