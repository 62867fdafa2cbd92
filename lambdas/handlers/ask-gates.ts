import { environment } from '../adapters/environment.ts';
import { readMode } from '../adapters/mode-parameter.ts';
import { ssm } from '../adapters/ssm.ts';
import { type GateResult, strictest } from '../domain/gates/gate.ts';
import { leaseGate } from '../domain/gates/lease-gate.ts';
import { modeGate } from '../domain/gates/mode-gate.ts';
import { windowGate } from '../domain/gates/window-gate.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import type { Rung } from '../domain/treatments/treatment.ts';
import { askBreaker } from './breaker.ts';
import { askPauses } from './pauses.ts';
import type { PhaseContext } from './phase.ts';
import { askRecurrence } from './recurrence.ts';
import { askVeto } from './veto.ts';

/** Asks every gate about one rung: before it, and again when an approval for it arrives. The strictest answer holds. */
export async function askGates(
  state: IncidentState,
  rung: Rung,
  context: PhaseContext,
  approved: boolean,
): Promise<GateResult & { all: GateResult[] }> {
  const { renewal, logger } = context;
  const [mode, pauses, veto, recurrence] = await Promise.all([
    readMode(ssm(), environment().MODE_PARAMETER_PREFIX, state.incident.cluster, (error) => {
      logger.error('the mode parameter could not be read', { error });
    }),
    askPauses(state, rung, context, approved),
    askVeto(state, rung, context),
    askRecurrence(state, rung, context, approved),
  ]);
  // The mode first: of equal answers the first is told, and "passed, because the policy says so" tells more.
  const first = [
    modeGate(mode, rung, approved),
    pauses,
    veto,
    windowGate(context.cluster.gates.windows, { rung, now: context.now(), approved }),
    recurrence,
    leaseGate(renewal),
  ];
  // The breaker last: it gives a place away, and only to what nothing else stops.
  const all = [...first, await askBreaker(state, rung, context, strictest(first))];
  return { ...strictest(all), all };
}
