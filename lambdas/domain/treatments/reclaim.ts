import { probeValue } from '../evidence/probe.ts';
import { isBelow, reclaimTargets } from '../evidence/zombies.ts';
import type { Treatment } from './treatment.ts';

/** The document takes its slices as one bounded string; a node with more holders than this gets another incident. */
const mostSlices = 20;
/** What must be left of the zombies, as a share: on kernel 6.1 about 6 % stay under any reclaim (measured: 258 of 4,263). */
const leftover = 0.1;

/** Protected targeted reclaim on the slices that hold zombies; the living are shielded (v2) or avoided (v1). */
export const reclaim: Treatment = {
  id: 'reclaim',
  kind: 'document',
  document: 'reclaim',
  undoDocument: 'reclaim-restore',
  risk: 'low',
  treats: ['dying-memcgs'],

  propose(evidence, cluster) {
    const dying = evidence && probeValue(evidence.probes.cgroups)?.dying;
    if (evidence === undefined || dying === undefined) return undefined;
    const allowed = (path: string): boolean =>
      cluster.reclaim.slices.some((slice) => path === slice || isBelow(path, slice));
    const paths = reclaimTargets(evidence)
      .map((slice) => slice.path)
      .filter(allowed)
      .slice(0, mostSlices);
    if (paths.length === 0) return undefined;
    const atMost = Math.max(cluster.thresholds.dyingFloor, Math.round(dying * leftover));
    return {
      arguments: {
        slices: paths.join(' '),
        cpuPercent: String(cluster.reclaim.cpuPercent),
        maxSeconds: String(cluster.reclaim.maxSeconds),
        psiFullLimit: String(cluster.reclaim.psiFullLimit),
      },
      reason: `${paths.join(', ')} hold${paths.length === 1 ? 's' : ''} the dying cgroups; reclaim there frees them and leaves other slices alone`,
      expects: { text: `at most ${atMost} dying memory cgroups, and no new growth`, signal: 'dying', atMost },
    };
  },
};
