import * as z from 'zod';
import type { Gates } from '../settings/gates.ts';
import type { GateResult } from './gate.ts';

/** Longest wait between two questions, in seconds: so soon it is seen that a pause was ended, and the lease is renewed. */
const longestSlice = 300;
/** Most questions in one incident, whatever gates say: Step Functions keeps 25,000 events of an execution. */
const mostRounds = 400;

/** How an incident has waited at its gates, over all of its rungs. */
export const Waiting = z.object({
  since: z.iso.datetime(),
  seconds: z.int().nonnegative(),
  rounds: z.int().nonnegative(),
  /** It has waited since it looked at the node last. */
  stale: z.boolean(),
  /** The gates let it go on, and before that it looks again. */
  lookAgain: z.boolean(),
  /** How often it has looked again. */
  looks: z.int().nonnegative(),
});
export type Waiting = z.infer<typeof Waiting>;

/** The longest that an incident may wait at its gates, in seconds, all waits together; a minute more than what gates wait for. */
export function longestWait({ pauses, windows }: Pick<Gates, 'pauses' | 'windows'>): number {
  return (pauses.waitMinutes + (windows.open.length === 0 ? 0 : windows.waitMinutes) + 1) * 60;
}

/**
 * One wait more, up to when the gate expects to say something else, and no longer than five minutes; `undefined` where the
 * incident has waited for as long, or as often, as it may.
 */
export function waitMore(
  waiting: Waiting | undefined,
  { until }: Pick<GateResult, 'until'>,
  { now, longest }: { now: Date; longest: number },
): { waiting: Waiting; waitSeconds: number } | undefined {
  const so = waiting ?? { since: now.toISOString(), seconds: 0, rounds: 0, looks: 0 };
  const wanted = until === undefined ? longestSlice : Math.ceil((Date.parse(until) - now.getTime()) / 1000);
  const left = longest - so.seconds;
  const waitSeconds = Math.min(longestSlice, left, Math.max(1, wanted));
  if (waitSeconds < 1 || so.rounds >= mostRounds) return undefined;
  return {
    waiting: {
      ...so,
      seconds: so.seconds + waitSeconds,
      rounds: so.rounds + 1,
      stale: true,
      lookAgain: false,
    },
    waitSeconds,
  };
}

/** Once the gates let it go on: with a look at the node first, if it has waited since the last one. */
export function afterWait(waiting: Waiting): Waiting {
  const { stale, looks } = waiting;
  return { ...waiting, stale: false, lookAgain: stale, looks: stale ? looks + 1 : looks };
}

/** What is said where it may not wait any more. */
export function waitedEnough(waiting: Waiting | undefined, { reason }: GateResult): string {
  const waited =
    waiting === undefined
      ? 'no incident waits here'
      : `it has waited ${Math.round(waiting.seconds / 60)} minutes, for the first time at ${waiting.since}, and no incident waits longer`;
  return `${waited}: ${reason}`;
}
