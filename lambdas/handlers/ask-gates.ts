import { environment } from '../adapters/environment.ts';
import { readMode } from '../adapters/mode-parameter.ts';
import { ssm } from '../adapters/ssm.ts';
import { type GateResult, strictest } from '../domain/gates/gate.ts';
import { leaseGate } from '../domain/gates/lease-gate.ts';
import { modeGate } from '../domain/gates/mode-gate.ts';
import { othersGate } from '../domain/gates/others-gate.ts';
import type { Agreed, StandingAnswer } from '../domain/gates/standing-gate.ts';
import { waitFor } from '../domain/gates/waiting.ts';
import { windowGate } from '../domain/gates/window-gate.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import type { Rung } from '../domain/treatments/treatment.ts';
import { askBreaker } from './breaker.ts';
import { askBudget, leaveBudgetUncordoned } from './budget.ts';
import { type AskedCohort, askCohort, keepTurn, stillWaits } from './cohort.ts';
import { askMarks } from './marks.ts';
import { askPauses } from './pauses.ts';
import type { PhaseContext } from './phase.ts';
import { askPast } from './recurrence.ts';
import { askStanding, askStandingPlace, type WhyNoRestart } from './standing.ts';
import { askVeto } from './veto.ts';

/** What all gates say, and what the incident has to remember of it. */
export type Gated = GateResult & {
  all: GateResult[];
  /** Seconds until they are asked again; 0 where they are not. */
  waitSeconds: number;
  remembered: Pick<IncidentState, 'whereabouts' | 'waited' | 'cohort'>;
  /** What the cohort says, and what was decided for all of it; nothing after an approval of its own. */
  together?: Pick<AskedCohort, 'role' | 'decision' | 'wave'>;
  /** Who agreed to it beforehand, for the whole group of the node. */
  agreed?: Agreed | undefined;
};

/**
 * Asks every gate about one rung: before it, and again when an approval for it arrives. The strictest answer holds.
 *
 * @param whyNoRestart what a standing restart is asked by; after an approval nobody asks, and the function has no room for it
 */
export async function askGates(
  state: IncidentState,
  rung: Rung,
  context: PhaseContext,
  approved: boolean,
  whyNoRestart?: WhyNoRestart,
): Promise<Gated> {
  const still = approved ? undefined : await stillWaits(state, context);
  if (still !== undefined) return onlyCohort(state, still, context);
  const { results: own, standing } = await askFirst(state, rung, context, approved, whyNoRestart);
  const asked = approved
    ? { result: await keepTurn(state, context), cohort: state.cohort }
    : await askCohort(state, rung, context, { answer: strictest(own), asks: asking(own) });
  const decision = 'decision' in asked && asked.role === 'turn' ? asked.decision : null;
  // What was decided for all counts for each as its own approval does: after all gates were asked anew.
  const answers = decision === null ? own : (await askFirst(state, rung, context, true)).results;
  const first = [...answers, asked.result];
  const placed = 'whereabouts' in asked ? { ...state, whereabouts: asked.whereabouts } : state;
  // Budget and breaker last: they give a place away, and only to what nothing else stops.
  const budget = await askBudget(placed, rung, context, strictest(first), decision !== null);
  const before = [...first, budget.result];
  const last = [...before, await askBreaker(state, rung, context, strictest(before))];
  const place = await askStandingPlace(state, standing, context, strictest(last));
  const all = place === undefined ? last : last.map((one) => (one === standing?.result ? place : one));
  const answer = strict(all, decision !== null);
  if (budget.taken && answer.decision !== 'pass') await leaveBudgetUncordoned(state.incident, context);
  const waitSeconds = answer.decision === 'wait' ? waitFor(answer.until, context.now()) : 0;
  const whereabouts = budget.whereabouts ?? placed.whereabouts;
  return {
    ...answer,
    all,
    agreed: standing?.agreed,
    waitSeconds,
    ...('role' in asked ? { together: asked } : {}),
    remembered: {
      cohort: asked.cohort,
      ...(whereabouts === undefined ? {} : { whereabouts }),
      ...(waitSeconds === 0 ? {} : { waited: waitedWith(state, answer.gate, waitSeconds) }),
    },
  };
}

/** While an incident waits for its cohort, that is all that is asked; every gate is once it is its turn. */
function onlyCohort(state: IncidentState, still: AskedCohort, { now }: PhaseContext): Gated {
  const { result, cohort } = still;
  const waitSeconds = waitFor(result.until, now());
  return {
    ...result,
    all: [result],
    waitSeconds,
    together: still,
    remembered: { cohort, waited: waitedWith(state, result.gate, waitSeconds) },
  };
}

/** What people have approved is not left out for something heavier: it ends there. */
function strict(all: GateResult[], approved: boolean): GateResult {
  const answer = strictest(all);
  return approved && answer.decision === 'skip' ? { ...answer, decision: 'refuse' } : answer;
}

function asking(results: readonly GateResult[]): string[] {
  return results.flatMap(({ gate, decision }) => (decision === 'ask' ? [gate] : []));
}

async function askFirst(
  state: IncidentState,
  rung: Rung,
  context: PhaseContext,
  approved: boolean,
  whyNoRestart?: WhyNoRestart,
): Promise<{ results: GateResult[]; standing: StandingAnswer | undefined }> {
  const { renewal, logger } = context;
  const reading = askMarks(state, rung, context);
  const standing = await askStanding(state, rung, context, approved, whyNoRestart);
  const agreed = standing?.agreed;
  const [mode, pauses, veto, marks, past] = await Promise.all([
    readMode(ssm(), environment().MODE_PARAMETER_PREFIX, state.incident.cluster, (error) => {
      logger.error('the mode parameter could not be read', { error });
    }),
    askPauses(state, rung, context, approved),
    askVeto(state, rung, context, reading),
    reading,
    askPast(state, rung, context, approved, agreed),
  ]);
  // The mode first: of equal answers the first is told, and "passed, because the policy says so" tells more.
  const results = [
    modeGate(mode, rung, approved, agreed),
    pauses,
    veto,
    othersGate(marks, { rung, approved, incident: state.incident.id }),
    windowGate(context.cluster.gates.windows, { rung, now: context.now(), approved }),
    ...past,
    leaseGate(renewal),
    ...(standing === undefined ? [] : [standing.result]),
  ];
  return { results, standing };
}

function waitedWith({ waited = {} }: IncidentState, gate: string, seconds: number): Record<string, number> {
  return { ...waited, [gate]: (Object.hasOwn(waited, gate) ? (waited[gate] ?? 0) : 0) + seconds };
}
