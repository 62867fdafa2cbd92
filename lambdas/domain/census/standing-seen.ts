import * as z from 'zod';
import type { Evidence } from '../evidence/evidence.ts';
import { probeValue } from '../evidence/probe.ts';
import { type Standing, type StandingTreatment, standingFor } from '../standing/standing.ts';
import { InstanceId } from './node.ts';
import type { Candidate } from './tally.ts';

/** The worst nodes of a group that a run remembers, far more than are treated at once; all are counted. */
const mostWorst = 50;

/** What a run has seen of the nodes of one group that has a standing treatment. */
export const StandingSeen = z.object({
  id: z.string().max(100),
  /** Nodes that told how many dying cgroups they have, and those of them that are over the threshold. */
  looks: z.int().nonnegative(),
  over: z.int().nonnegative(),
  sum: z.int().nonnegative(),
  max: z.int().nonnegative(),
  worst: z.array(z.object({ instanceId: InstanceId, dying: z.int().nonnegative() })).max(mostWorst),
});
export type StandingSeen = z.infer<typeof StandingSeen>;

export function nothingSeen(id: string): StandingSeen {
  return { id, looks: 0, over: 0, sum: 0, max: 0, worst: [] };
}

/** What was seen with one more node of the group. One that did not count its dying cgroups says nothing, and is not treated. */
export function withStandingNode(
  all: readonly StandingSeen[],
  { id, threshold }: Pick<Standing, 'id' | 'threshold'>,
  instanceId: string,
  evidence: Evidence,
): StandingSeen[] {
  const dying = probeValue(evidence.probes.cgroups)?.dying;
  if (dying === undefined) return [...all];
  const known = all.find((one) => one.id === id) ?? nothingSeen(id);
  const isOver = dying >= threshold;
  const next: StandingSeen = {
    id,
    looks: known.looks + 1,
    over: known.over + (isOver ? 1 : 0),
    sum: Math.min(known.sum + dying, Number.MAX_SAFE_INTEGER),
    max: Math.max(known.max, dying),
    worst: isOver
      ? [...known.worst, { instanceId, dying }]
          .sort((a, b) => b.dying - a.dying || (a.instanceId < b.instanceId ? -1 : 1))
          .slice(0, mostWorst)
      : known.worst,
  };
  return [...all.filter((one) => one.id !== id), next];
}

/** Whether a node that a quick look finds ill is left to this standing treatment of its group. */
export function isLeftToStanding({ cause }: Pick<Candidate, 'cause'>, treatment: StandingTreatment): boolean {
  return standingFor(cause) === treatment;
}

/** The worst of a group that its standing treatment raises: whoever is ill in another way is raised for that, and once. */
export function worstToRaise<Node extends { instanceId: string }>(
  worst: readonly Node[],
  candidates: readonly Candidate[],
  treatment: StandingTreatment,
): Node[] {
  const others = candidates.filter((candidate) => !isLeftToStanding(candidate, treatment));
  const ids = new Set(others.map(({ instanceId }) => instanceId));
  return worst.filter(({ instanceId }) => !ids.has(instanceId));
}
