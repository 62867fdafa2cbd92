import type { Logger } from '@aws-lambda-powertools/logger';
import { BudgetStore } from '../adapters/budget-store.ts';
import { fleetOf } from '../adapters/cluster-nodes.ts';
import { dynamo } from '../adapters/dynamo.ts';
import { embed } from '../adapters/embedded-metrics.ts';
import { environment } from '../adapters/environment.ts';
import { KeptChangingError, surelyMs } from '../adapters/revised-item.ts';
import { within } from '../adapters/within.ts';
import type { AuditEntry } from '../domain/audit/entry.ts';
import { leavesCordoned, openCordons } from '../domain/audit/open-changes.ts';
import {
  type BudgetState,
  type Counted,
  holdersAt,
  inLineFor,
  withoutIncident,
  withPlace,
  withPlaceUntil,
} from '../domain/gates/budget.ts';
import {
  type AskedBudget,
  budgetBusy,
  budgetGate,
  budgetLine,
  budgetProblem,
  exemptFromBudget,
} from '../domain/gates/budget-gate.ts';
import { type Whereabouts, whereaboutsOf } from '../domain/gates/fleet.ts';
import type { GateResult } from '../domain/gates/gate.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import type { Rung } from '../domain/treatments/treatment.ts';
import type { PhaseContext } from './phase.ts';
import { problemOf } from './problem-of.ts';

type Asking = Pick<PhaseContext, 'cluster' | 'settings' | 'now' | 'logger'>;

/** How long it is waited to learn the nodes of the cluster: far more than some pages of them take. */
const fleetMs = 12_000;
const holdMinutes = 60;
/**
 * A node that stays cordoned is one less for as long: longer than an incident waits for people and gates, and than a night, where it
 * is left to a person. The sweeper gives the place back once the cordon of an incident that is over has gone.
 */
const cordonedHours = 24;
/** Who stands in line and does not come back within this time, or three questions, loses their turn. */
const lineSeconds = 600;

function budgets(): BudgetStore {
  return new BudgetStore(dynamo(), environment().STATE_TABLE);
}

export type AskedForPlace = {
  result: GateResult;
  /** It has its place now, and has to give it back where it does not go on. */
  taken: boolean;
  /** Where the node stands, if that had to be asked. */
  whereabouts?: Whereabouts;
};

/**
 * Asks the budget of the cluster about one rung, and takes a place where nothing else stops it or has to be waited for.
 *
 * @param others what all gates before it say
 * @param together it was approved with others, and waits for its place as long as for its wave
 */
export async function askBudget(
  state: IncidentState,
  rung: Rung,
  context: Asking,
  others: GateResult,
  together = false,
): Promise<AskedForPlace> {
  const exempt = exemptFromBudget(rung);
  if (exempt !== undefined) return { result: exempt, taken: false };
  if (others.decision !== 'pass' && others.decision !== 'ask') {
    const reason = `not asked for a place: ${others.gate} stops it already`;
    return { result: { gate: 'budget', decision: 'pass', reason }, taken: false };
  }
  try {
    const whereabouts = await whereaboutsNow(state);
    const me = { ...counted(state, whereabouts), treatment: rung.treatment };
    // Who is asked may take their time; their node is not disrupted for as long.
    const asked =
      others.decision === 'ask'
        ? await look(state, rung, context, me)
        : await take(together ? { ...state, waited: {} } : state, rung, context, me);
    return { ...asked, whereabouts };
  } catch (error) {
    context.logger.error('the budget could not be asked', { error });
    if (error instanceof KeptChangingError) {
      const waitedSeconds = together ? 0 : (state.waited?.budget ?? 0);
      return { result: budgetBusy(context.cluster.gates.budget, context.now(), waitedSeconds), taken: false };
    }
    return { result: budgetProblem(problemOf(error)), taken: false };
  }
}

/** The line of a card; `undefined` where the rung needs no place. */
export async function budgetOf(
  state: IncidentState,
  { cluster, now, logger }: Pick<Asking, 'cluster' | 'now' | 'logger'>,
): Promise<string | undefined> {
  const { rung, whereabouts } = state;
  if (rung === undefined || whereabouts === undefined || exemptFromBudget(rung) !== undefined)
    return undefined;
  try {
    const budget = await budgets().read(state.incident.cluster);
    return budgetLine(budget, counted(state, whereabouts), cluster.gates.budget, now());
  } catch (error) {
    logger.error('the budget could not be read for the card', { error });
    return 'how many nodes are being disrupted could not be read';
  }
}

/** Just before the act: whether the place is still this incident's. It is held anew from here on. */
export async function keepPlace(state: IncidentState, context: Asking): Promise<boolean> {
  const { incident, rung } = state;
  if (rung === undefined || exemptFromBudget(rung) !== undefined) return true;
  const now = context.now();
  const { after } = await budgets().change(
    incident.cluster,
    (budget) =>
      withPlaceUntil(
        budget,
        incident.id,
        now,
        rung.kind === 'cordon' ? cordonedUntil(now) : heldUntil(context, now),
      ),
    undefined,
    surelyMs,
  );
  return holdersAt(after, now).some((place) => place.incident === incident.id);
}

/** As `leaveBudget`, unless a cordon of this incident stands: a node that takes no pods is one less, whatever is asked or looked at meanwhile. */
export async function leaveBudgetUncordoned(
  incident: Pick<IncidentState['incident'], 'id' | 'cluster'>,
  { trail, logger }: { trail: Pick<PhaseContext['trail'], 'entries'>; logger: Pick<Logger, 'error'> },
): Promise<void> {
  if (openCordons(await trail.entries(incident.id)).length === 0) await leaveBudget(incident, logger);
}

/** The incident is over: gives its place back, unless a cordon of it stands. Then its node is one less until somebody has seen to it. */
export async function endPlace(
  incident: Pick<IncidentState['incident'], 'id' | 'cluster'>,
  entries: AuditEntry[],
  logger: Pick<Logger, 'error'>,
): Promise<void> {
  if (!leavesCordoned(entries)) return leaveBudget(incident, logger);
  const now = new Date();
  try {
    await budgets().change(
      incident.cluster,
      (budget) => withPlaceUntil(budget, incident.id, now, cordonedUntil(now)),
      undefined,
      surelyMs,
    );
  } catch (error) {
    logger.error('the place of a node that stays cordoned could not be held on to', { error });
  }
}

/** The incident disrupts nothing any more, and waits for nothing. What cannot be written is logged: the place expires. */
export async function leaveBudget(
  { id, cluster }: Pick<IncidentState['incident'], 'id' | 'cluster'>,
  logger: Pick<Logger, 'error'>,
): Promise<void> {
  try {
    const { before, after } = await budgets().change(
      cluster,
      (budget) => withoutIncident(budget, id),
      undefined,
      surelyMs,
    );
    if (before !== after) publish(cluster, after, new Date());
  } catch (error) {
    logger.error('a place in the budget could not be given back', { error, cluster });
  }
}

async function look(
  state: IncidentState,
  rung: Rung,
  context: Asking,
  me: Counted,
): Promise<Pick<AskedForPlace, 'result' | 'taken'>> {
  const budget = await budgets().read(state.incident.cluster);
  return { result: budgetGate(budget, me, asked(state, rung, context, 'looked')), taken: false };
}

async function take(
  state: IncidentState,
  rung: Rung,
  context: Asking,
  me: Counted & { treatment: string },
): Promise<Pick<AskedForPlace, 'result' | 'taken'>> {
  const { budget: settings } = context.cluster.gates;
  const now = context.now();
  const turnUntil = after(now, Math.max(lineSeconds, 3 * settings.askAgainSeconds));
  const { before, after: budget } = await budgets().change(
    state.incident.cluster,
    (present) =>
      withPlace(present, me, settings, now, heldUntil(context, now)) ??
      inLineFor(present, me, now, turnUntil),
  );
  const isMine = ({ incident }: { incident: string }): boolean => incident === me.incident;
  const taken = holdersAt(budget, now).some(isMine);
  const came = taken ? 'taken' : budget.waiting.some(isMine) ? 'full' : 'line-full';
  // One that has it already has looked at its node again meanwhile.
  if (taken && !holdersAt(before, now).some(isMine)) publish(state.incident.cluster, budget, now);
  return { result: budgetGate(budget, me, asked(state, rung, context, came)), taken };
}

function asked(
  { waited }: IncidentState,
  rung: Rung,
  { cluster, now }: Asking,
  came: AskedBudget['came'],
): AskedBudget {
  const settings = cluster.gates.budget;
  return { rung, settings, now: now(), came, waitedSeconds: waited?.budget ?? 0 };
}

/** Who waits was told a moment ago how many nodes there are, and asks EC2 no more: many may wait. */
export async function whereaboutsNow({
  incident,
  whereabouts,
  gate,
  recheck,
}: IncidentState): Promise<Whereabouts> {
  const waits = gate?.decision === 'wait' || recheck?.decision === 'wait';
  if (waits && whereabouts !== undefined) return whereabouts;
  return whereaboutsOf(incident.instanceId, await within(fleetMs, 'EC2', fleetOf(incident.cluster)));
}

function counted({ incident }: IncidentState, whereabouts: Whereabouts): Counted {
  return { ...whereabouts, incident: incident.id, instanceId: incident.instanceId };
}

/** A place outlives delivery, treatment and undo by far, beside the looks after it. */
export function heldUntil({ cluster, settings }: Pick<Asking, 'cluster' | 'settings'>, now: Date): Date {
  const { windowSeconds } = cluster.verification;
  return after(now, windowSeconds + settings.command.deliverySeconds + holdMinutes * 60);
}

function cordonedUntil(now: Date): Date {
  return after(now, cordonedHours * 3600);
}

function after(now: Date, seconds: number): Date {
  return new Date(now.getTime() + seconds * 1000);
}

/** With each place that is taken or given back; one that expires shows with the next. */
function publish(cluster: string, budget: BudgetState, now: Date): void {
  embed({ Cluster: cluster }, [
    { metric: 'BudgetHeld', unit: 'Count', value: holdersAt(budget, now).length },
  ]);
}
