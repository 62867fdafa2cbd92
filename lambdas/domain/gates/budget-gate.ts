import type { Budget } from '../settings/gates.ts';
import type { Rung } from '../treatments/treatment.ts';
import { type BudgetState, type Counted, holdersAt, type Place, type Room, roomFor } from './budget.ts';
import type { GateResult } from './gate.ts';

/** Holders that a reason names. */
const mostNamed = 5;

export type AskedBudget = {
  rung: Pick<Rung, 'kind' | 'disrupts'>;
  settings: Budget;
  now: Date;
  /** What became of it. looked: nothing was taken, for a person is asked first. line-full: no place, and none to wait at. */
  came: 'taken' | 'looked' | 'full' | 'line-full';
  /** Seconds that this incident has waited for a place, on all of its rungs. */
  waitedSeconds: number;
};

/** Of a rung that the budget is not asked about; `undefined` where it has to be. */
export function exemptFromBudget({ kind, disrupts }: AskedBudget['rung']): GateResult | undefined {
  if (kind === 'notify') return answer('pass', 'telling people is never too much');
  return disrupts ? undefined : answer('pass', 'this treatment disrupts nothing that runs on the node');
}

/** What the budget of the cluster says of one rung, the place being taken, or not. */
export function budgetGate(
  state: BudgetState,
  me: Counted,
  { rung, settings, now, came, waitedSeconds }: AskedBudget,
): GateResult {
  const exempt = exemptFromBudget(rung);
  if (exempt !== undefined) return exempt;
  const room = roomFor(me, state, settings, now);
  if (came === 'taken') return answer('pass', `a place is taken: ${figures(me, room)}, and now this one`);
  if (came === 'looked') return answer('pass', budgetLine(state, me, settings, now));
  const full = `${figures(me, room)}; ${holdersOf(state, me, room, now)}`;
  if (came === 'line-full') {
    return answer('skip', `${full}. As many wait for a place as may: it is not waited for`);
  }
  const left = settings.waitMinutes * 60 - waitedSeconds;
  if (left <= 0) {
    return answer(
      'skip',
      `no place came free within ${settings.waitMinutes} minutes (settings gates.budget.waitMinutes): ${full}`,
    );
  }
  const seconds = Math.min(settings.askAgainSeconds, left);
  return {
    ...answer('wait', `${full}. It is waited for a place, for ${settings.waitMinutes} minutes at the most`),
    until: new Date(now.getTime() + seconds * 1000).toISOString(),
  };
}

/** Others kept writing first. Nothing was taken, and to ask again is safe: it counts as a wait for a place. */
export function budgetBusy(
  { askAgainSeconds, waitMinutes }: Budget,
  now: Date,
  waitedSeconds: number,
): GateResult {
  const busy = 'many incidents ask for a place at once, and this one could not be heard yet';
  const left = waitMinutes * 60 - waitedSeconds;
  if (left <= 0) {
    return answer('skip', `${busy}, for ${waitMinutes} minutes (settings gates.budget.waitMinutes)`);
  }
  const until = new Date(now.getTime() + Math.min(askAgainSeconds, left) * 1000).toISOString();
  return { ...answer('wait', busy), until };
}

/** A budget that nobody can ask refuses. */
export function budgetProblem(problem: string): GateResult {
  return answer('refuse', `how many nodes are being disrupted could not be asked: ${problem}`);
}

/** How much of the budget is used, for whoever decides on a card. */
export function budgetLine(state: BudgetState, me: Counted, settings: Budget, now: Date): string {
  const room = roomFor(me, state, settings, now);
  const { held } = room.cluster;
  if (room.open) {
    return `${figures(me, room)}; this one would be ${held === 0 ? 'the first' : 'one more'}`;
  }
  return `${figures(me, room)}; ${holdersOf(state, me, room, now)}. Once approved it would wait for a place, for ${settings.waitMinutes} minutes at the most`;
}

function figures({ nodeGroup, zone }: Counted, room: Room): string {
  const nodes = room.nodeGroup.most === 1 ? 'node' : 'nodes';
  return `${room.nodeGroup.held} of at most ${room.nodeGroup.most} ${nodes} of group ${nodeGroup} are being disrupted, ${room.zone.held} of ${room.zone.most} in zone ${zone}, ${room.cluster.held} of ${room.cluster.most} in the cluster`;
}

function holdersOf(state: BudgetState, me: Counted, { ahead }: Room, now: Date): string {
  const others = holdersAt(state, now).filter(({ instanceId }) => instanceId !== me.instanceId);
  const first = ahead === 0 ? '' : `; ${ahead} ${ahead === 1 ? 'waits and goes' : 'wait and go'} first`;
  if (others.length === 0) return `nobody holds a place${first}`;
  const more = others.length - mostNamed;
  const named = others.slice(0, mostNamed).map(nameOf).join(', ');
  return `held by ${named}${more > 0 ? ` and ${more} more` : ''}${first}`;
}

function nameOf({ incident, instanceId, treatment, until }: Place): string {
  return `${incident} (${treatment} on ${instanceId}, until ${until} at the latest)`;
}

function answer(decision: GateResult['decision'], reason: string): GateResult {
  return { gate: 'budget', decision, reason };
}
