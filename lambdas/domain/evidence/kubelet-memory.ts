import type { Evidence } from './evidence.ts';
import { probeValue } from './probe.ts';

/** A kubelet that was just started looks at every container anew, and grows into its work: no leak. */
const warmUpSeconds = 3600;
/** Less than this says nothing of where it goes in the days to come: the pods of a morning look like a leak. */
export const leastHours = 6;

/** At (seconds since 1970), resident memory (KiB), pods that have a cgroup. */
export type KubeletSample = readonly [at: number, rssKb: number, pods: number | null];

export type KubeletMemory = {
  /** At this look. */
  rssKb: number;
  /** Of this boot and of this very process, from an hour after its start on, oldest first. What another one held says nothing of it. */
  samples: KubeletSample[];
};

/** What the kubelet holds, and held since it was started, by the history that its node keeps; or why nobody knows. */
export function kubeletMemory(evidence: Evidence): KubeletMemory | { gap: string } {
  const { history, host } = evidence.probes;
  if (history.status !== 'ok') return { gap: `the history of the node was not read: ${history.reason}` };
  const [rssKb = null, ticks = null, now = null] = history.value.kubelet ?? [];
  if (rssKb === null || ticks === null) {
    return { gap: 'the node has not told what its kubelet holds, or not when that was started' };
  }
  const uptime = probeValue(host)?.uptimeSeconds;
  if (uptime == null) return { gap: 'how long the node has been up was not read' };
  const at = Math.floor(Date.parse(evidence.collectedAt) / 1000);
  const settled = at - uptime + ticks / 100 + warmUpSeconds;
  const earlier = history.value.samples.flatMap((sample): KubeletSample[] => {
    const [then, , , , , , , rss, started, pods] = sample;
    return rss == null || started !== ticks ? [] : [[then, rss, pods ?? null]];
  });
  const samples: KubeletSample[] = [...earlier, [at, rssKb, now]];
  return { rssKb, samples: samples.filter(([then]) => then >= settled) };
}
