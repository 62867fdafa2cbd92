import { causesOf } from '../standing/standing.ts';
import { offerOf, offerText } from './standing-offer.ts';
import type { Treatment } from './treatment.ts';

/**
 * For a producer that goes on: the census repeats reclaim on the nodes of the group, whenever one has too many dying cgroups. It
 * changes nothing on a node by itself.
 */
export const standingReclaim: Treatment = {
  id: 'standing-reclaim',
  kind: 'standing',
  // Where something has stopped the producer, there is nothing to repeat.
  standing: true,
  risk: 'medium',
  disrupts: false,
  treats: causesOf['standing-reclaim'],

  propose(_evidence, cluster, { cause }, group) {
    const { standing, thresholds } = cluster;
    const offer = offerOf('standing-reclaim', cause, group, cluster);
    if ('nothing' in offer) return offer;
    const { nodeGroup } = offer;
    const threshold = thresholds.dyingCount;
    return {
      arguments: { nodeGroup, threshold: String(threshold), days: String(standing.days) },
      reason: `${offerText(offer, 'reclaim', cause)}: what makes the dying cgroups goes on. For ${standing.days} days the census would have reclaim done on each node of the group that has ${threshold} of them, on ${standing.nodesAtOnce} nodes at a time at most, by this one approval, also in mode approve. It stops nothing that makes them`,
      expects: {
        text: `nodes of group ${nodeGroup} come back below ${threshold} dying memory cgroups; judged every week, and people are told where it does not keep up`,
        signal: 'dying',
        level: 'holds',
      },
    };
  },
};
