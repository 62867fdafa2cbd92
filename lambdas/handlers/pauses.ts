import { dynamo } from '../adapters/dynamo.ts';
import { environment } from '../adapters/environment.ts';
import { readPauses } from '../adapters/pause-reader.ts';
import { within } from '../adapters/within.ts';
import type { GateResult } from '../domain/gates/gate.ts';
import { pauseGate } from '../domain/gates/pause-gate.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import type { Rung } from '../domain/treatments/treatment.ts';
import type { PhaseContext } from './phase.ts';
import { problemOf } from './problem-of.ts';

const limitMs = 10_000;

/** Asks whether anybody has paused the cluster, as the table has it now and never by what the incident knows. */
export async function askPauses(
  { incident }: IncidentState,
  rung: Rung,
  { cluster, now, logger }: Pick<PhaseContext, 'cluster' | 'now' | 'logger'>,
  approved: boolean,
): Promise<GateResult> {
  const asked = { rung, settings: cluster.gates.pauses, now: now(), approved };
  try {
    const reading = readPauses(dynamo(), environment().STATE_TABLE, incident.cluster);
    return pauseGate(await within(limitMs, 'the state table', reading), { ...asked, now: now() });
  } catch (error) {
    logger.error('the pauses of the cluster could not be read', { error });
    return pauseGate(undefined, { ...asked, problem: problemOf(error) });
  }
}
