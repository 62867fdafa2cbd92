import type { CauseId } from '../causes/cause-id.ts';
import { unknownPlace } from '../gates/fleet.ts';
import type { Past } from '../history/past.ts';
import { repeats } from '../standing/standing.ts';
import type { Treatment } from './treatment.ts';

/**
 * For a producer that goes on: the census repeats reclaim on the nodes of the group, whenever one has too many dying cgroups. It
 * changes nothing on a node by itself. Causes are those whose cgroups page cache keeps, and which nobody can simply switch off.
 */
export const standingReclaim: Treatment = {
  id: 'standing-reclaim',
  kind: 'standing',
  // Where something has stopped the producer, there is nothing to repeat.
  standing: true,
  risk: 'medium',
  disrupts: false,
  treats: ['dying-memcgs', 'session-churn', 'agent-leak'],

  propose(_evidence, { census, standing, thresholds }, { cause }, group) {
    if (group === undefined) return { nothing: 'what was done in the group of this node is not known here' };
    if ('gap' in group) return { nothing: `nothing is known of its group: ${group.gap}` };
    const { nodeGroup, pasts, days } = group;
    if (nodeGroup === unknownPlace) return { nothing: 'the tags of this node name no group' };
    if (!census.enabled || census.raiseAtMost === 0) {
      return { nothing: 'the census would do it, and the settings let it raise nothing' };
    }
    if (group.standing !== undefined) return { nothing: `there is one already: ${group.standing}` };
    const cures = pasts.filter((past) => hasHelped(past, cause));
    if (cures.length < standing.cures) {
      return {
        nothing: `reclaim has helped against ${cause} in group ${nodeGroup} ${cures.length} times in ${days} days, and it is offered from ${standing.cures} on`,
      };
    }
    const nodes = new Set(cures.map(({ instanceId }) => instanceId)).size;
    const threshold = thresholds.dyingCount;
    return {
      arguments: { nodeGroup, threshold: String(threshold), days: String(standing.days) },
      reason: `reclaim has helped against ${cause} in group ${nodeGroup} ${cures.length} times in the last ${days} days, on ${nodes} ${nodes === 1 ? 'node' : 'nodes'}: what makes the dying cgroups goes on. For ${standing.days} days the census would have reclaim done on each node of the group that has ${threshold} of them, on ${standing.nodesAtOnce} nodes at a time at most, by this one approval, also in mode approve. It stops nothing that makes them`,
      expects: {
        text: `nodes of group ${nodeGroup} come back below ${threshold} dying memory cgroups; judged every week, and people are told where it does not keep up`,
        signal: 'dying',
        level: 'holds',
      },
    };
  },
};

/** Relieved as well: where the producer goes on, the figure falls and rises again, and no cure is seen. */
function hasHelped({ cause, done }: Past, wanted: CauseId): boolean {
  const { 'standing-reclaim': repeated } = repeats;
  const helped = done.filter(({ came }) => came === 'cured' || came === 'relieved');
  return cause === wanted && helped.some(({ treatment }) => treatment === repeated);
}
