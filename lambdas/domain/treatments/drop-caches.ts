import { probeValue } from '../evidence/probe.ts';
import { noEvidence, type Treatment } from './treatment.ts';

/** What must be left of the zombies, as a share: about 6 % stay under any reclaim on kernel 6.1 (measured: 260 of 4,262). */
const leftover = 0.1;

/** One global drop of the page cache. The last resort: everybody on the node pays for it. */
export const dropCaches: Treatment = {
  id: 'drop-caches',
  kind: 'document',
  document: 'drop-caches',
  namesItsApproval: true,
  onlyWhenCalm: true,
  risk: 'medium',
  disrupts: true,
  treats: ['dying-memcgs'],

  propose(evidence, cluster) {
    if (evidence === undefined) return noEvidence;
    const dying = probeValue(evidence.probes.cgroups)?.dying;
    if (dying === undefined) return { nothing: 'how many memory cgroups are dying is not known' };
    const atMost = Math.max(cluster.thresholds.dyingFloor, Math.round(dying * leftover));
    return {
      arguments: { ioFullLimit: '10', maxSeconds: '120' },
      reason:
        'the page cache of the whole node is dropped at once: every workload reads from disk again afterwards. Only where reclaim has not helped',
      expects: { text: `at most ${atMost} dying memory cgroups, and no new growth`, atMost },
    };
  },
};
