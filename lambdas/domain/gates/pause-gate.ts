import type { Pauses } from '../settings/gates.ts';
import type { Rung } from '../treatments/treatment.ts';
import type { GateResult } from './gate.ts';
import { isActive, type Pause, whoPaused } from './pause.ts';

/** What the state table has of the pauses of a cluster. */
export type PausesRead = {
  pauses: readonly Pause[];
  /** Names of those that nobody can read. */
  unreadable: readonly string[];
};

/**
 * A person's word that nothing is to be done in this cluster for a while. It refuses, and does not observe: `observed` is what
 * a cluster always comes to in that mode, and whoever counts incidents has to see that this one was stopped by somebody.
 *
 * @param read `undefined` where nothing could be read, with the reason in `problem`
 * @param approved whether a person has approved this rung: then it does not wait, for they said yes to a node as it is now
 */
export function pauseGate(
  read: PausesRead | undefined,
  {
    rung,
    settings,
    now,
    approved,
    problem,
  }: { rung: Pick<Rung, 'kind'>; settings: Pauses; now: Date; approved: boolean; problem?: string },
): GateResult {
  const answer = (decision: GateResult['decision'], reason: string): GateResult => ({
    gate: 'pause',
    decision,
    reason,
  });
  if (rung.kind === 'notify') return answer('pass', 'telling people is never too much');
  if (read === undefined) {
    return answer('refuse', `the pauses of this cluster could not be read: ${problem ?? 'no reason given'}`);
  }
  if (read.unreadable.length > 0) {
    return answer(
      'refuse',
      `a pause of this cluster cannot be read, so it may hold: ${read.unreadable.slice(0, 5).join(', ')}. docs/gates.md says how to look at it`,
    );
  }
  const active = read.pauses
    .filter((pause) => isActive(pause, now))
    .sort((a, b) => Date.parse(b.until) - Date.parse(a.until));
  const [last] = active;
  if (last === undefined) return answer('pass', 'nobody has paused this cluster');
  const reason = `this cluster is paused: ${active.slice(0, 3).map(pauseText).join('; ')}${active.length > 3 ? `; and ${active.length - 3} more` : ''}`;
  const soon = Date.parse(last.until) - now.getTime() <= settings.waitMinutes * 60_000;
  return soon && !approved ? { ...answer('wait', reason), until: last.until } : answer('refuse', reason);
}

/** Who paused, why, and until when. */
function pauseText(pause: Pause): string {
  return `${pause.name}, by ${whoPaused(pause)} until ${pause.until}: ${pause.reason}`;
}
