import * as z from 'zod';
import type { Evidence } from './evidence.ts';
import { count } from './number.ts';
import { probeValue } from './probe.ts';

const known = count.nullable();

/** Earlier samples of this boot that the node kept, oldest first, so that growth has a slope. */
export const History = z.object({
  samples: z
    .array(
      z
        // An older document kept no more than seven.
        .tuple([count, known, known, known, known, known, known], known)
        .describe(
          'at (seconds since 1970), live, dying, dying below user.slice, available, unreclaimable slab, percpu (KiB); of the kubelet: resident memory (KiB), start of its process (hundredths of a second since boot), pods that have a cgroup',
        ),
    )
    .max(50),
  /** The same of its kubelet at this very look: resident memory (KiB), start, pods. `null` from an older document. */
  kubelet: z.tuple([known, known, known]).nullable().default(null),
});

/** How far back the evidence compares. */
const hour = 3600;
/** Fewer than this share of what there was: somebody freed them. A few go by themselves at any time. */
const freed = 0.9;

/** Whether dying cgroups below user.slice, at least so many, were freed in the last hour, as far as the samples of it show. */
export function fellBelowUsers(evidence: Evidence, least = 0): boolean {
  const since = Date.parse(evidence.collectedAt) / 1000 - hour;
  const samples = probeValue(evidence.probes.history)?.samples ?? [];
  const counts = samples.filter(([at]) => at > since).flatMap(([, , , below]) => below ?? []);
  const now = probeValue(evidence.probes.sessions)?.dyingNow;
  const all = now == null ? counts : [...counts, now];
  return all.some((count, index) => {
    const before = all[index - 1] ?? 0;
    return before >= least && count < before * freed;
  });
}
