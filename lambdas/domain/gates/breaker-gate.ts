import type { Breaker } from '../settings/gates.ts';
import type { Rung } from '../treatments/treatment.ts';
import { type BreakerState, standingOf } from './breaker.ts';
import type { GateResult } from './gate.ts';

const busySeconds = 60;

/** `canary`: it may act if it can still take the one place there is. */
export type BreakerAnswer = GateResult | { gate: 'breaker'; decision: 'canary'; reason: string };

/**
 * Failures in a sliding window put the cluster back to observe, whatever its mode: what does not help on three nodes will
 * not on the next thirty.
 *
 * @param state `undefined` where it could not be read, with the reason in `problem`
 */
export function breakerGate(
  state: BreakerState | undefined,
  {
    incident,
    rung,
    settings,
    now,
    problem,
  }: { incident: string; rung: Pick<Rung, 'kind'>; settings: Breaker; now: Date; problem?: string },
): BreakerAnswer {
  const answer = (decision: GateResult['decision'], reason: string): GateResult => ({
    gate: 'breaker',
    decision,
    reason,
  });
  if (rung.kind === 'notify') return answer('pass', 'telling people is never too much');
  if (state === undefined) {
    return answer('refuse', `the breaker of the cluster could not be read: ${problem ?? 'no reason given'}`);
  }
  const standing = standingOf(state, settings, now);
  if (standing === 'closed') {
    const some = state.failures.length === 0 ? 'no' : String(state.failures.length);
    return answer('pass', `${some} treatments of this cluster have failed lately`);
  }
  if (standing === 'half-open') {
    const { canary } = state;
    if (canary === null || Date.parse(canary.until) <= now.getTime()) {
      return { gate: 'breaker', decision: 'canary', reason: 'one incident may try whether it helps again' };
    }
    if (canary.incident === incident) {
      return answer('pass', 'this incident tries, for the whole cluster, whether it helps again');
    }
    return answer(
      'observe',
      `${opened(state)}; incident ${canary.incident} tries whether it helps again, and until that has ended, or ${canary.until}, nothing else is done`,
    );
  }
  const until = new Date(Date.parse(state.openedAt ?? '') + settings.coolDownMinutes * 60_000);
  return answer(
    'observe',
    `${opened(state)}; nothing is done in this cluster until ${until.toISOString()}, and then by one incident first. docs/gates.md says how a person closes it`,
  );
}

/** Others kept writing first: whether this one may be the canary is not known yet. */
export function breakerBusy(now: Date): GateResult {
  return {
    gate: 'breaker',
    decision: 'wait',
    reason: 'many incidents ask the breaker of this cluster at once, and this one could not be heard yet',
    until: new Date(now.getTime() + busySeconds * 1000).toISOString(),
  };
}

function opened({ openedAt, failures }: BreakerState): string {
  const which = failures
    .slice(-5)
    .map(
      ({ incident, instanceId, treatment, why, at }) =>
        `${treatment} on ${instanceId} at ${at} (${why}; ${incident})`,
    );
  return `the breaker of this cluster opened at ${openedAt}: ${which.join(', ')}`;
}
