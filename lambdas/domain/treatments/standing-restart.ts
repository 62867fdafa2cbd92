import { kubeletLeak } from '../causes/kubelet-leak.ts';
import { where } from '../causes/where.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { kubeletVersion } from '../evidence/kubelet-figures.ts';
import { windowText } from '../gates/window.ts';
import { causesOf } from '../standing/standing.ts';
import { offerOf, offerText } from './standing-offer.ts';
import type { Diagnosed, Treatment } from './treatment.ts';

/**
 * For a kubelet that leaks and has no fix in use: the census has it restarted before it is full, inside of the maintenance windows,
 * on one node of the group at a time. It changes nothing on a node by itself.
 */
export const standingRestart: Treatment = {
  id: 'standing-restart',
  kind: 'standing',
  // Where something has stopped the leak, there is nothing to repeat.
  standing: true,
  risk: 'medium',
  disrupts: false,
  treats: causesOf['standing-restart'],

  propose(evidence, cluster, diagnosis, group) {
    const { standing, thresholds, gates } = cluster;
    const offer = offerOf('standing-restart', diagnosis.cause, group, cluster);
    if ('nothing' in offer) return offer;
    const { open } = gates.windows;
    if (open.length === 0) {
      return {
        nothing:
          'it restarts kubelets in maintenance windows only, and this cluster has none (gates.windows.open)',
      };
    }
    const { nodeGroup } = offer;
    // Read back as a number, so that the card has the one that is written down.
    const limit = Math.round(thresholds.kubeletMb);
    return {
      arguments: { nodeGroup, threshold: String(limit), days: String(standing.days) },
      reason: `${offerText(offer, 'restart-kubelet', diagnosis.cause)}: the leak begins anew each time. ${fixText(evidence, diagnosis)}. For ${standing.days} days the census would have the kubelet of a node restarted that by its course holds ${limit} MB, or a quarter of the memory of a small node, before the next maintenance window is ${standing.aheadHours} hours old; only while a window is open (${open.map(windowText).join('; ')}), on one node of the group at a time, by this one approval, also in mode approve. It mends no leak`,
      expects: {
        text: `no kubelet of group ${nodeGroup} comes to hold ${limit} MB; judged every week, and people are told where it does not keep up`,
        signal: 'kubeletRssKb',
        level: 'holds',
      },
    };
  },
};

/** What mends the leak, where that is known: whoever agrees to fourteen days of restarts is to know it. */
function fixText(evidence: Evidence | undefined, { findings }: Diagnosed): string {
  const version = (evidence && kubeletVersion(evidence)) ?? 'of a version that was not read';
  const known = evidence === undefined ? [] : (kubeletLeak.prevent?.(evidence, findings) ?? []);
  const fixes = known.filter(
    ({ what, where: place }) =>
      place === where.ami || (place === where.kubeletConfig && what.startsWith('featureGates')),
  );
  return fixes.length === 0
    ? `No fix is known for its kubelet, ${version}`
    : `A fix is known, and not in use here: ${fixes.map(({ what }) => what).join('; ')}`;
}
