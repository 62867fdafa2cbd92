import * as z from 'zod';
import type { Approvals } from '../settings/approval.ts';
import type { Gates } from '../settings/gates.ts';
import type { GateResult } from './gate.ts';

/** Longest wait between two questions, in seconds: so soon it is seen that a pause was ended, and the lease is renewed. */
const longestSlice = 300;
/** Seconds after which a gate is asked again that does not say when. */
const usualSlice = 60;
/** What was seen so many seconds ago is as good as new: a look takes about as long. */
const freshSeconds = 30;
/** Most questions in one incident, whatever gates say: Step Functions keeps 25,000 events of an execution. */
const mostRounds = 1500;

/** How an incident has waited at its gates, over all of its rungs. */
export const Waiting = z.object({
  since: z.iso.datetime(),
  seconds: z.int().nonnegative(),
  rounds: z.int().nonnegative(),
  /** Seconds that it has waited since it looked at the node last. */
  sinceLook: z.int().nonnegative(),
  /** The gates let it go on, and before that it looks again. */
  lookAgain: z.boolean(),
  /** How often it has looked again. */
  looks: z.int().nonnegative(),
});
export type Waiting = z.infer<typeof Waiting>;

/**
 * The longest that an incident may wait at its gates, in seconds, all waits together; a minute more than what gates wait for.
 * Who is no leader of a cohort waits here for its decision as well, which is asked for again where a leader is lost.
 */
export function longestWait(
  { pauses, windows, budget, cohort }: Pick<Gates, 'pauses' | 'windows' | 'budget' | 'cohort'>,
  { expirySeconds }: Pick<Approvals, 'expirySeconds'>,
): number {
  const minutes =
    pauses.waitMinutes + (windows.open.length === 0 ? 0 : windows.waitMinutes) + budget.waitMinutes + 1;
  const together = cohort.enabled
    ? cohort.gatherSeconds + Math.max(...Object.values(expirySeconds)) + cohort.waitMinutes * 60
    : 0;
  return minutes * 60 + together;
}

/** Seconds until a gate is asked again: when it expects to say something else, and in five minutes at the latest. */
export function waitFor(until: GateResult['until'], now: Date): number {
  if (until === undefined) return usualSlice;
  return Math.min(longestSlice, Math.max(1, Math.ceil((Date.parse(until) - now.getTime()) / 1000)));
}

/** One wait more of so many seconds; `undefined` where the incident has waited for as long, or as often, as it may. */
export function waitMore(
  waiting: Waiting | undefined,
  wanted: number,
  { now, longest }: { now: Date; longest: number },
): { waiting: Waiting; waitSeconds: number } | undefined {
  const so = waiting ?? { since: now.toISOString(), seconds: 0, rounds: 0, sinceLook: 0, looks: 0 };
  const waitSeconds = Math.min(wanted, longest - so.seconds);
  if (waitSeconds < 1 || so.rounds >= mostRounds) return undefined;
  return {
    waiting: {
      ...so,
      seconds: so.seconds + waitSeconds,
      rounds: so.rounds + 1,
      sinceLook: so.sinceLook + waitSeconds,
      lookAgain: false,
    },
    waitSeconds,
  };
}

/**
 * Once the gates let it go on: with a look at the node first, if the last one is old by the waits since.
 *
 * @param always also after the shortest wait: what was decided together with others is never done on sight of before
 */
export function afterWait(waiting: Waiting, always = false): Waiting {
  const { sinceLook, looks } = waiting;
  const lookAgain = sinceLook >= (always ? 1 : freshSeconds);
  return { ...waiting, sinceLook: 0, lookAgain, looks: lookAgain ? looks + 1 : looks };
}

/** What is said where it may not wait any more. */
export function waitedEnough(waiting: Waiting | undefined, { reason }: GateResult): string {
  const waited =
    waiting === undefined
      ? 'no incident waits here'
      : `it has waited ${Math.round(waiting.seconds / 60)} minutes, for the first time at ${waiting.since}, and no incident waits longer`;
  return `${waited}: ${reason}`;
}
