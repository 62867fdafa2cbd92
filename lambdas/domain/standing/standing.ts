import * as z from 'zod';
import { CauseId } from '../causes/cause-id.ts';
import { oneLine } from '../one-line.ts';

/** The treatments that the census repeats for a group of nodes, and what each of them repeats. */
export const repeats = { 'standing-reclaim': 'reclaim' } as const;

export const StandingTreatment = z.enum(['standing-reclaim']);
export type StandingTreatment = z.infer<typeof StandingTreatment>;

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
  /** Dying cgroups of a node from which the census acts. */
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
