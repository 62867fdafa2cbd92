import * as z from 'zod';
import { DrainReport, DrainState } from './drain-state.ts';
import { EvictionAnswer } from './eviction-answer.ts';
import { Owner } from './owner.ts';
import { PodRef } from './pod-ref.ts';
import { Relief } from './relief.ts';

/**
 * How a replacement ended. replaced: the node has gone, and its owner has made what is needed. refused: nothing was to be done to it.
 * relieved: the pods that were to go have gone, and the node stays. not-drained: it keeps its pods. gone: somebody else has taken it away. failed: a person has to look.
 */
export const CourseEnd = z.object({
  is: z.enum(['replaced', 'relieved', 'refused', 'not-drained', 'gone', 'failed']),
  says: z.string(),
  report: DrainReport.optional(),
  /** The node that came in its place, where one is waited for. */
  newNode: z.string().optional(),
  /** A cordon of ours may stand, for it could not be taken back, or must not be on a node that was handed over: somebody has to look. */
  cordonLeft: z.boolean(),
});
export type CourseEnd = z.infer<typeof CourseEnd>;

/** Where a replacement is, within the state of its incident: all that the next act needs. */
export const ReplacementState = z.object({
  instanceId: z.string(),
  /** The act that is next. */
  at: z.enum(['examine', 'cordon', 'drain', 'evict', 'hand-over', 'arrive', 'uncordon', 'over']),
  node: z.string().nullable(),
  /** Where some of its pods are to go only: it is not cordoned for that, nor handed over. */
  relief: Relief.optional(),
  owner: Owner.nullable(),
  /** maybe: it was asked for, and no answer came. */
  cordon: z.enum(['no', 'maybe', 'ours']),
  drain: DrainState.nullable(),
  /** The evictions to ask for, how long to wait after them, and what became of the last ones. */
  evict: z.array(PodRef),
  thenSeconds: z.int().positive().optional(),
  answers: z.array(z.object({ pod: PodRef, answer: EvictionAnswer })),
  /** When its owner was asked first, and when it is known to have taken it. A new node comes after the former. */
  askedAt: z.iso.datetime().nullable(),
  handedOverAt: z.iso.datetime().nullable(),
  /** Of this act, in a row. */
  failures: z.int().nonnegative(),
  /** Of all the times that its owner was asked: between two of them the node is looked at. */
  handOverFailures: z.int().nonnegative(),
  /** Before the next act. */
  waitSeconds: z.int().nonnegative(),
  end: CourseEnd.nullable(),
  /** What became of the last act, where that was anything new, for whoever looks on. */
  says: z.string().optional(),
});
export type ReplacementState = z.infer<typeof ReplacementState>;
