import { environment } from '../adapters/environment.ts';
import { readMode } from '../adapters/mode-parameter.ts';
import { ssm } from '../adapters/ssm.ts';
import { type GateResult, strictest } from '../domain/gates/gate.ts';
import { leaseGate } from '../domain/gates/lease-gate.ts';
import { modeGate } from '../domain/gates/mode-gate.ts';
import { othersGate } from '../domain/gates/others-gate.ts';
import type { Agreed } from '../domain/gates/standing-gate.ts';
import { waitFor } from '../domain/gates/waiting.ts';
import { windowGate } from '../domain/gates/window-gate.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import type { Rung } from '../domain/treatments/treatment.ts';
import { askBreaker } from './breaker.ts';
import { askBudget, leaveBudget } from './budget.ts';
import { askMarks } from './marks.ts';
import { askPauses } from './pauses.ts';
import type { PhaseContext } from './phase.ts';
import { askRecurrence } from './recurrence.ts';
import { askStanding, askStandingPlace } from './standing.ts';
import { askVeto } from './veto.ts';

/** What all gates say, and what the incident has to remember of it. */
export type Gated = GateResult & {
  all: GateResult[];
  /** Seconds until they are asked again; 0 where they are not. */
  waitSeconds: number;
  remembered: Pick<IncidentState, 'whereabouts' | 'waited'>;
  /** Who agreed to it beforehand, for the whole group of the node. */
  agreed?: Agreed | undefined;
};

/** Asks every gate about one rung: before it, and again when an approval for it arrives. The strictest answer holds. */
export async function askGates(
  state: IncidentState,
  rung: Rung,
  context: PhaseContext,
  approved: boolean,
): Promise<Gated> {
  const { renewal, logger } = context;
  const reading = askMarks(state, rung, context);
  const standing = await askStanding(state, rung, context, approved);
  const agreed = standing?.agreed;
  const [mode, pauses, veto, marks, recurrence] = await Promise.all([
    readMode(ssm(), environment().MODE_PARAMETER_PREFIX, state.incident.cluster, (error) => {
      logger.error('the mode parameter could not be read', { error });
    }),
    askPauses(state, rung, context, approved),
    askVeto(state, rung, context, reading),
    reading,
    askRecurrence(state, rung, context, approved, agreed),
  ]);
  // The mode first: of equal answers the first is told, and "passed, because the policy says so" tells more.
  const first = [
    modeGate(mode, rung, approved, agreed),
    pauses,
    veto,
    othersGate(marks, { rung, approved, incident: state.incident.id }),
    windowGate(context.cluster.gates.windows, { rung, now: context.now(), approved }),
    recurrence,
    leaseGate(renewal),
    ...(standing === undefined ? [] : [standing.result]),
  ];
  // Budget and breaker last: they give a place away, and only to what nothing else stops.
  const { result, taken, whereabouts } = await askBudget(state, rung, context, strictest(first));
  const before = [...first, result];
  const last = [...before, await askBreaker(state, rung, context, strictest(before))];
  const place = await askStandingPlace(state, standing, context, strictest(last));
  const all = place === undefined ? last : last.map((one) => (one === standing?.result ? place : one));
  const answer = strictest(all);
  if (taken && answer.decision !== 'pass') await leaveBudget(state.incident, logger);
  const waitSeconds = answer.decision === 'wait' ? waitFor(answer.until, context.now()) : 0;
  return {
    ...answer,
    all,
    agreed,
    waitSeconds,
    remembered: {
      ...(whereabouts === undefined ? {} : { whereabouts }),
      ...(waitSeconds === 0 ? {} : { waited: waitedWith(state, answer.gate, waitSeconds) }),
    },
  };
}

function waitedWith({ waited = {} }: IncidentState, gate: string, seconds: number): Record<string, number> {
  return { ...waited, [gate]: (Object.hasOwn(waited, gate) ? (waited[gate] ?? 0) : 0) + seconds };
}
