import type { CauseId } from '../causes/cause-id.ts';
import { unknownPlace } from '../gates/fleet.ts';
import type { Past } from '../history/past.ts';
import type { Cluster } from '../settings.ts';
import { repeats, type StandingTreatment } from '../standing/standing.ts';
import type { GroupKnown, Nothing } from './treatment.ts';

/** What speaks for repeating a treatment on a group: how often it has helped there, on how many nodes, in how many days. */
export type Offer = { nodeGroup: string; times: number; nodes: number; days: number };

/** Whether people are asked for a standing treatment: where what it repeats has helped against the same cause often enough. */
export function offerOf(
  treatment: StandingTreatment,
  cause: CauseId,
  group: GroupKnown | undefined,
  { census, standing }: Pick<Cluster, 'census' | 'standing'>,
): Offer | Nothing {
  if (group === undefined) return { nothing: 'what was done in the group of this node is not known here' };
  if ('gap' in group) return { nothing: `nothing is known of its group: ${group.gap}` };
  const { nodeGroup, pasts, days } = group;
  if (nodeGroup === unknownPlace) return { nothing: 'the tags of this node name no group' };
  if (!census.enabled || census.raiseAtMost === 0) {
    return { nothing: 'the census would do it, and the settings let it raise nothing' };
  }
  if (group.standing !== undefined) return { nothing: `there is one already: ${group.standing}` };
  const repeated = repeats[treatment];
  const cures = pasts.filter((past) => hasHelped(past, repeated, cause));
  if (cures.length < standing.cures) {
    return {
      nothing: `${repeated} has helped against ${cause} in group ${nodeGroup} ${cures.length} times in ${days} days, and it is offered from ${standing.cures} on`,
    };
  }
  const nodes = new Set(cures.map(({ instanceId }) => instanceId)).size;
  return { nodeGroup, times: cures.length, nodes, days };
}

/** For people. */
export function offerText(
  { nodeGroup, times, nodes, days }: Offer,
  repeated: string,
  cause: CauseId,
): string {
  return `${repeated} has helped against ${cause} in group ${nodeGroup} ${times} times in the last ${days} days, on ${nodes} ${nodes === 1 ? 'node' : 'nodes'}`;
}

/** Relieved as well: where the producer goes on, the figure falls and rises again, and no cure is seen. */
function hasHelped({ cause, done }: Past, repeated: string, wanted: CauseId): boolean {
  const helped = done.filter(({ came }) => came === 'cured' || came === 'relieved');
  return cause === wanted && helped.some(({ treatment }) => treatment === repeated);
}
