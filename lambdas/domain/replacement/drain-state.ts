import * as z from 'zod';
import type { Read } from '../around/read.ts';
import type { Cordon } from './cordon.ts';
import type { EvictionAnswer } from './eviction-answer.ts';
import type { PodOnNode } from './objects.ts';
import { PodRef } from './pod-ref.ts';
import { ReliefState } from './relief.ts';

const Refusal = z.object({
  pod: z.string(),
  times: z.int().positive(),
  budgets: z.array(z.string()),
  says: z.string(),
});
export type Refusal = z.infer<typeof Refusal>;

/** A pod, and what holds it. */
const Holding = z.object({ pod: z.string(), why: z.string() });

/** Why a drain was given up, for whoever reads it at night. */
export const DrainReport = z.object({
  why: z.string(),
  /** Budgets that refused an eviction, by name and namespace. */
  budgets: z.array(z.string()),
  pods: z.array(Holding),
  /** Pods beside those that are named. */
  morePods: z.int().nonnegative(),
  evicted: z.int().nonnegative(),
});
export type DrainReport = z.infer<typeof DrainReport>;

/**
 * How a drain ended. done: nothing is left that a drain moves. gone: there is no such node any more.
 * gave-up: the node keeps its pods, and `uncordon` says whether its cordon is to be taken back.
 */
export const DrainEnd = z.discriminatedUnion('is', [
  z.object({ is: z.literal('done') }),
  z.object({ is: z.literal('gone') }),
  z.object({ is: z.literal('gave-up'), uncordon: z.boolean(), report: DrainReport }),
]);
export type DrainEnd = z.infer<typeof DrainEnd>;

/** What a drain remembers from one step to the next, within the state of its incident. */
export const DrainState = z.object({
  cordonedByUs: z.boolean(),
  deadline: z.iso.datetime(),
  /** Until the next look, after the last one. */
  waitSeconds: z.int().positive(),
  /** Pods that were to go at the last look; `null` before the first. */
  left: z.int().nonnegative().nullable(),
  evicted: z.int().nonnegative(),
  /** Refusals by the uid of the pod. */
  refused: z.record(z.string(), Refusal),
  end: DrainEnd.nullable(),
  /** Where it is about some of the pods only. */
  relief: ReliefState.optional(),
});
export type DrainState = z.infer<typeof DrainState>;

/** What was seen before a step. */
export type DrainSeen = {
  /** `unknown`: the node could not be read, and so its pods count for nothing. */
  cordon: Cordon | 'node-gone' | 'unknown';
  /** The pods of the node. A part of them is no answer: a drain that does not see all pods never ends well. */
  pods: Read<readonly PodOnNode[]>;
  /** What became of the evictions that the last step asked for. */
  answers: readonly { pod: PodRef; answer: EvictionAnswer }[];
};

export const DrainNext = z.discriminatedUnion('do', [
  z.object({ do: z.literal('evict'), pods: z.array(PodRef), thenSeconds: z.int().positive() }),
  z.object({ do: z.literal('wait'), seconds: z.int().positive(), why: z.string() }),
  z.object({ do: z.literal('end'), end: DrainEnd }),
]);
export type DrainNext = z.infer<typeof DrainNext>;
