import type * as z from 'zod';
import type { Evidence } from './evidence.ts';
import type { PodStatus } from './node-status.ts';
import { probeValue } from './probe.ts';

/** Kills of the last day count; the log of the kernel goes back further, and a restarted container remembers its last end for as long as it lives. */
const daySeconds = 24 * 3600;
/** A leak that fills its limit in weeks kills once in weeks. */
const rememberedSeconds = 7 * daySeconds;

/** OOM kills of the last day that the node itself has seen; `undefined` where it was not asked. */
export function recentOomKills(evidence: Evidence): number | undefined {
  const kills = probeValue(evidence.probes.oomKills);
  if (kills === undefined) return undefined;
  // Only the latest are dated. What has no date counts as recent.
  const old = kills.recent.filter(({ at }) => !isRecent(evidence, at)).length;
  return Math.max(0, kills.seen - old);
}

/** OOM kills of the kubelet in the last week: the log of the kernel, read where there is no journal, may hold the whole boot. */
export function recentKubeletKills(evidence: Evidence): number | undefined {
  const kills = probeValue(evidence.probes.oomKills);
  if (kills?.ofKubelet == null) return undefined;
  const old = kills.recent.filter(
    ({ at, comm }) => comm === 'kubelet' && !isRecent(evidence, at, rememberedSeconds),
  ).length;
  return Math.max(0, kills.ofKubelet - old);
}

/** Those among them that hit pods, by the UID of the pod, most first. */
export function oomKillsByPod(evidence: Evidence): { uid: string; comm: string; kills: number }[] {
  const recent = probeValue(evidence.probes.oomKills)?.recent ?? [];
  const pods = new Map<string, { uid: string; comm: string; kills: number }>();
  for (const { at, comm, cgroup } of recent) {
    const uid = podUid(cgroup);
    if (uid === undefined || !isRecent(evidence, at)) continue;
    const known = pods.get(uid) ?? { uid, comm, kills: 0 };
    pods.set(uid, { ...known, kills: known.kills + 1 });
  }
  return [...pods.values()].sort((a, b) => b.kills - a.kills || (a.uid < b.uid ? -1 : 1));
}

export type OomKilledContainer = z.infer<typeof PodStatus>['oomKilled'][number];

/** Containers that the API server remembers as killed, in the last week, most restarts first. */
export function oomKilledContainers(evidence: Evidence): OomKilledContainer[] | undefined {
  return probeValue(evidence.probes.podStatus)
    ?.oomKilled.filter(({ secondsAgo }) => (secondsAgo ?? 0) <= rememberedSeconds)
    .sort((a, b) => (b.restarts ?? 0) - (a.restarts ?? 0));
}

/** The pod of a cgroup below kubepods, by its UID as Kubernetes writes it. */
function podUid(cgroup: string): string | undefined {
  if (!cgroup.includes('kubepods')) return undefined;
  return /pod([0-9a-f]{8}(?:[_-][0-9a-f]{4}){3}[_-][0-9a-f]{12})/.exec(cgroup)?.[1]?.replaceAll('_', '-');
}

function isRecent(evidence: Evidence, at: number, within = daySeconds): boolean {
  return Date.parse(evidence.collectedAt) / 1000 - at <= within;
}
