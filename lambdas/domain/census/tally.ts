import * as z from 'zod';
import { CauseId } from '../causes/cause-id.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { probeValue } from '../evidence/probe.ts';
import type { Cluster } from '../settings.ts';
import type { Standing } from '../standing/standing.ts';
import { addBurdens, Burdens, noBurdens } from './burdens.ts';
import { InstanceId } from './node.ts';
import { RestartSeen, withKubelet } from './restart-seen.ts';
import { type DueLook, judgeAgain, mostSecondLooks, SecondLook } from './second-look.ts';
import { StandingSeen, withStandingNode } from './standing-seen.ts';
import { verdictOf } from './verdict.ts';

/** A node over threshold. `dying` is `null` where they were not counted. */
export const Candidate = z.object({
  instanceId: InstanceId,
  cause: CauseId,
  confidence: z.number().min(0).max(1),
  dying: z.int().nonnegative().nullable(),
});
export type Candidate = z.infer<typeof Candidate>;

/** More than this many faulty nodes in one cluster are a storm; the worst are kept, and all are counted. */
export const mostCandidates = 1000;

/** Groups of one cluster with a standing treatment that a run remembers; those beyond are not treated by it. */
const mostStandings = 40;

/** What the nodes read so far come to. It does not matter in which order they are added. */
export const Tally = z.object({
  dying: z.object({
    nodes: z.int().nonnegative(),
    sum: z.int().nonnegative(),
    min: z.int().nonnegative(),
    max: z.int().nonnegative(),
  }),
  overThreshold: z.int().nonnegative(),
  unclear: z.int().nonnegative(),
  candidates: z.array(Candidate).max(mostCandidates),
  burdens: Burdens,
  secondLooks: z.array(SecondLook).max(mostSecondLooks),
  /** Left out by a run that began before there were any. */
  standing: z.array(StandingSeen).max(mostStandings).default([]),
  restarts: z.array(RestartSeen).max(mostStandings).default([]),
});
export type Tally = z.infer<typeof Tally>;

export const emptyTally: Tally = {
  dying: { nodes: 0, sum: 0, min: 0, max: 0 },
  overThreshold: 0,
  unclear: 0,
  candidates: [],
  burdens: noBurdens,
  secondLooks: [],
  standing: [],
  restarts: [],
};

/** The tally with one more node, of a quick look. */
export function withNode(
  tally: Tally,
  instanceId: string,
  evidence: Evidence,
  cluster: Pick<Cluster, 'thresholds' | 'diagnosis'>,
): Tally {
  const verdict = verdictOf(evidence, cluster);
  const dying = probeValue(evidence.probes.cgroups)?.dying;
  const counted = dying === undefined ? tally : { ...tally, dying: withDying(tally.dying, dying) };
  if (verdict.is === 'healthy') return counted;
  if (verdict.is === 'unclear') return { ...counted, unclear: tally.unclear + 1 };
  const { cause, confidence } = verdict;
  return {
    ...counted,
    overThreshold: tally.overThreshold + 1,
    candidates: [...tally.candidates, { instanceId, cause, confidence, dying: dying ?? null }]
      .sort(worstFirst)
      .slice(0, mostCandidates),
  };
}

/** The tally with what a node says of its provisional cure. */
export function withSecondLook(
  tally: Tally,
  instanceId: string,
  due: DueLook,
  evidence: Evidence,
  { thresholds }: Pick<Cluster, 'thresholds'>,
): Tally {
  if (tally.secondLooks.length >= mostSecondLooks) return tally;
  const look = { instanceId, due, ...judgeAgain(due, evidence, thresholds) };
  return { ...tally, secondLooks: [...tally.secondLooks, look] };
}

/** The tally with what a node of a group says that has a standing treatment. */
export function withStanding(
  tally: Tally,
  instanceId: string,
  standing: Pick<Standing, 'id' | 'threshold' | 'treatment'>,
  evidence: Evidence,
  cluster: Pick<Cluster, 'thresholds' | 'standing' | 'gates'>,
): Tally {
  const all = standing.treatment === 'standing-restart' ? tally.restarts : tally.standing;
  if (!all.some(({ id }) => id === standing.id) && all.length >= mostStandings) return tally;
  if (standing.treatment === 'standing-restart') {
    return { ...tally, restarts: withKubelet(tally.restarts, standing, instanceId, evidence, cluster) };
  }
  return { ...tally, standing: withStandingNode(tally.standing, standing, instanceId, evidence) };
}

/** The tally with one more node, of a full look: what it carries for nothing. */
export function withBurdens(tally: Tally, instanceId: string, evidence: Evidence): Tally {
  return { ...tally, burdens: addBurdens(tally.burdens, instanceId, evidence) };
}

function withDying(known: Tally['dying'], dying: number): Tally['dying'] {
  const first = known.nodes === 0;
  return {
    nodes: known.nodes + 1,
    sum: Math.min(known.sum + dying, Number.MAX_SAFE_INTEGER),
    min: first ? dying : Math.min(known.min, dying),
    max: first ? dying : Math.max(known.max, dying),
  };
}

function worstFirst(a: Candidate, b: Candidate): number {
  return (
    (b.dying ?? -1) - (a.dying ?? -1) || b.confidence - a.confidence || (a.instanceId < b.instanceId ? -1 : 1)
  );
}
