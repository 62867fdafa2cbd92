import * as z from 'zod';
import type { Breaker } from '../settings/gates.ts';

/** More failures than this are not remembered: it has been open for long. */
const mostFailures = 20;

const Failure = z.object({
  incident: z.string().max(100),
  instanceId: z.string().max(30),
  treatment: z.string().max(50),
  why: z.string().max(200),
  /** It made the node worse: that the incident may be cured later does not take it back. */
  harmed: z.boolean(),
  at: z.iso.datetime(),
});
export type Failure = z.infer<typeof Failure>;

/**
 * What a cluster's breaker remembers. closed: no `openedAt`. open: until the cool-down is over. half-open: after it one
 * incident, the canary, may act; how that ends decides.
 */
export const BreakerState = z.object({
  version: z.literal(1),
  failures: z.array(Failure).max(mostFailures),
  openedAt: z.iso.datetime().nullable(),
  /** It gives its place back at `until`, should it never come to an end. */
  canary: z.object({ incident: z.string().max(100), until: z.iso.datetime() }).nullable(),
});
export type BreakerState = z.infer<typeof BreakerState>;

export const closedBreaker: BreakerState = { version: 1, failures: [], openedAt: null, canary: null };

/** Where the breaker stands. */
export type Standing = 'closed' | 'open' | 'half-open';

export function standingOf({ openedAt }: BreakerState, { coolDownMinutes }: Breaker, now: Date): Standing {
  if (openedAt === null) return 'closed';
  return now.getTime() < Date.parse(openedAt) + coolDownMinutes * 60_000 ? 'open' : 'half-open';
}

/**
 * The state after a treatment that did not help, or that failed. An incident counts once, however many of its rungs do not
 * help: a ladder begins with what is gentlest, and that is often not enough.
 */
export function withFailure(state: BreakerState, failure: Failure, settings: Breaker): BreakerState {
  const now = new Date(failure.at);
  const known = state.failures.find(({ incident }) => incident === failure.incident);
  // By its last failure, for that is what the window is about; and by the worst of them.
  const last = known?.harmed && !failure.harmed ? { ...known, at: failure.at } : failure;
  const since = now.getTime() - settings.windowMinutes * 60_000;
  const failures = [
    ...state.failures.filter(
      ({ incident, at }) =>
        incident !== failure.incident && (state.openedAt !== null || Date.parse(at) > since),
    ),
    last,
  ].slice(-mostFailures);
  // The canary has failed: the wait begins anew.
  if (state.canary?.incident === failure.incident) {
    return { ...state, failures, openedAt: failure.at, canary: null };
  }
  const opens = state.openedAt === null && failures.length >= settings.failures;
  return { ...state, failures, openedAt: opens ? failure.at : state.openedAt };
}

/** The state after a treatment that helped: its incident is no failure any more, and a canary closes the breaker. */
export function withSuccess(state: BreakerState, incident: string): BreakerState {
  if (state.canary?.incident === incident) return closedBreaker;
  // What has opened it stays known until it closes.
  if (state.openedAt !== null) return state;
  const failures = state.failures.filter((failure) => failure.incident !== incident || failure.harmed);
  return failures.length === state.failures.length ? state : { ...state, failures };
}

/** The state after an incident has ended: it is nobody's canary any more. */
export function withoutCanary(state: BreakerState, incident: string): BreakerState {
  return state.canary?.incident === incident ? { ...state, canary: null } : state;
}

/** The state with this incident as the canary; `undefined` where it may not be. */
export function withCanary(
  state: BreakerState,
  incident: string,
  settings: Breaker,
  now: Date,
  holdSeconds: number,
): BreakerState | undefined {
  if (standingOf(state, settings, now) !== 'half-open') return undefined;
  const taken = state.canary !== null && Date.parse(state.canary.until) > now.getTime();
  if (taken && state.canary?.incident !== incident) return undefined;
  return {
    ...state,
    canary: { incident, until: new Date(now.getTime() + holdSeconds * 1000).toISOString() },
  };
}
