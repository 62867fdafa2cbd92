import * as z from 'zod';
import { CauseId } from '../causes/cause-id.ts';
import { oneLine } from '../one-line.ts';

/** The treatments that the census repeats for a group of nodes, and what each of them repeats. */
export const repeats = { 'standing-reclaim': 'reclaim', 'standing-restart': 'restart-kubelet' } as const;

export const StandingTreatment = z.enum(['standing-reclaim', 'standing-restart']);
export type StandingTreatment = z.infer<typeof StandingTreatment>;

/** What each of them is for. No cause is one of two: so the diagnosis of a node says which may speak of it. */
export const causesOf: Readonly<Record<StandingTreatment, readonly CauseId[]>> = {
  // Those whose cgroups page cache keeps, and which nobody can simply switch off.
  'standing-reclaim': ['dying-memcgs', 'session-churn', 'agent-leak'],
  // One that is killed already is no leak that a restart comes before.
  'standing-restart': ['kubelet-leak'],
};

export function standingFor(cause: CauseId | undefined): StandingTreatment | undefined {
  return StandingTreatment.options.find((one) => cause !== undefined && causesOf[one].includes(cause));
}

/** A node group as `nodeGroupOf` names it. */
export const NodeGroup = z.string().min(1).max(300);

/**
 * What people have agreed to for a whole group of nodes, until a date. Written once, by the incident in which it was approved,
 * and never changed: that it ended before its date is an item of its own (`StandingEnd`).
 */
export const Standing = z.object({
  version: z.literal(1),
  /** Names it among all that there ever were; made of its incident and its rung. */
  id: z.string().regex(/^[A-Za-z0-9_-]{1,100}$/),
  cluster: z.string().min(1).max(100),
  nodeGroup: NodeGroup,
  treatment: StandingTreatment,
  cause: CauseId,
  /** Of a reclaim: dying cgroups of a node from which the census acts. Of a restart: MB that the kubelet is not to reach. */
  threshold: z.int().positive(),
  incident: z.string().min(1).max(100),
  /** Who agreed to it, all of its quorum, and by which approval. */
  approvedBy: z.string().min(1).max(500),
  approval: z.string().min(1).max(150),
  from: z.iso.datetime(),
  until: z.iso.datetime(),
});
export type Standing = z.infer<typeof Standing>;

export const EndReason = oneLine(300);

/** That a standing treatment is over before its date. Nothing takes it back: a new one needs a new approval. */
export const StandingEnd = z.object({
  version: z.literal(1),
  id: Standing.shape.id,
  at: z.iso.datetime(),
  /** A person, or what of this project ended it. */
  by: oneLine(300),
  /** Of a person, as AWS says it. */
  arn: z.string().min(1).max(2048).optional(),
  reason: EndReason,
});
export type StandingEnd = z.infer<typeof StandingEnd>;

/** A standing treatment as the state table has it: with its end, if it has one. */
export type StandingRead = { standing: Standing; end?: StandingEnd };

/** Why it does not hold now; `undefined` where it does. */
export function whyOver({ standing, end }: StandingRead, now: Date): string | undefined {
  if (end !== undefined) return `${end.by} ended it at ${end.at}: ${end.reason}`;
  if (Date.parse(standing.until) <= now.getTime()) return `it ended at its date, ${standing.until}`;
  if (Date.parse(standing.from) > now.getTime()) return `it begins only at ${standing.from}`;
  return undefined;
}

/** For people. */
export function standingText({ treatment, nodeGroup, until, approvedBy, approval }: Standing): string {
  return `${treatment} of group ${nodeGroup} until ${until}, approved by ${approvedBy} (${approval})`;
}

/** For people: what of a node it goes by. */
export function limitText({ treatment, threshold }: Pick<Standing, 'treatment' | 'threshold'>): string {
  return treatment === 'standing-reclaim'
    ? `from ${threshold} dying cgroups on`
    : `before a kubelet holds ${threshold} MB`;
}
