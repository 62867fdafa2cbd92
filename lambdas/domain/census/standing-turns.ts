import type { Cluster } from '../settings.ts';
import type { StandingLook } from '../standing/course.ts';
import { courseText } from '../standing/kubelet-course.ts';
import { turnOf } from '../standing/restart-due.ts';
import { type Standing, standingText } from '../standing/standing.ts';
import { nothingOfKubelets } from './restart-seen.ts';
import { nothingSeen, worstToRaise } from './standing-seen.ts';
import type { Tally } from './tally.ts';

/** What a run comes to for one standing treatment: what was seen of its group, and whose turn it is, the most urgent first. */
export type Turns = {
  look: Omit<StandingLook, 'raised'>;
  nodes: { instanceId: string; reason: string }[];
};

export function turnsOf(
  standing: Standing,
  tally: Pick<Tally, 'standing' | 'restarts' | 'candidates'>,
  cluster: Pick<Cluster, 'thresholds' | 'standing' | 'gates'>,
  now: Date,
): Turns {
  const { id, treatment, threshold } = standing;
  if (treatment === 'standing-restart') {
    const { urgent, ...look } = tally.restarts.find((one) => one.id === id) ?? nothingOfKubelets(id);
    const nodes = worstToRaise(urgent, tally.candidates, treatment).flatMap((node) => {
      const course = { ...node, fullAt: new Date(node.fullAt) };
      const turn = turnOf(course, cluster, now);
      const reason = `${courseText(course)}; ${turn.reason}: the turn of ${standingText(standing)}`;
      return turn.is === 'now' ? [{ instanceId: node.instanceId, reason }] : [];
    });
    return { look, nodes };
  }
  const seen = tally.standing.find((one) => one.id === id) ?? nothingSeen(id);
  const nodes = worstToRaise(seen.worst, tally.candidates, treatment).map(({ instanceId, dying }) => ({
    instanceId,
    reason: `${dying} dying memory cgroups, where ${threshold} are the threshold of ${standingText(standing)}`,
  }));
  return { look: seen, nodes };
}
