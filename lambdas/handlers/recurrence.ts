import { dynamo } from '../adapters/dynamo.ts';
import { environment } from '../adapters/environment.ts';
import { HistoryStore } from '../adapters/history-store.ts';
import { imageOf } from '../adapters/instance-image.ts';
import type { GateResult } from '../domain/gates/gate.ts';
import { recurrenceGate } from '../domain/gates/recurrence-gate.ts';
import type { Agreed } from '../domain/gates/standing-gate.ts';
import { supersedeGate } from '../domain/gates/supersede-gate.ts';
import type { History } from '../domain/history/past.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import type { Rung } from '../domain/treatments/treatment.ts';
import type { PhaseContext } from './phase.ts';
import { problemOf } from './problem-of.ts';

/** How long it is waited to learn the image of the node, where the opening did not. */
const imageMs = 6000;

/** Asks what was done to this node and this image before: whether it is time that a person decides, and whether the node goes anyway. */
export async function askPast(
  { incident }: IncidentState,
  rung: Rung,
  { cluster, now, logger }: Pick<PhaseContext, 'cluster' | 'now' | 'logger'>,
  approved: boolean,
  agreed?: Agreed,
): Promise<GateResult[]> {
  const asked = { rung, settings: cluster.gates.recurrence, approved, agreed };
  if (rung.kind === 'notify') return [recurrenceGate(undefined, asked), supersedeGate(undefined, asked)];
  try {
    const imageId = incident.imageId ?? (await imageOf(incident.instanceId, imageMs));
    const history = await historyOf({ ...incident, imageId }, cluster, now());
    return [recurrenceGate(history, asked), supersedeGate(history.node, asked)];
  } catch (error) {
    logger.error('what was done before could not be read', { error });
    const unread = { ...asked, problem: problemOf(error) };
    return [recurrenceGate(undefined, unread), supersedeGate(undefined, unread)];
  }
}

/** What is known of the node of an incident, and of its image. */
export function historyOf(
  { cluster: name, instanceId, imageId = null }: IncidentState['incident'],
  { gates }: PhaseContext['cluster'],
  now: Date,
): Promise<History> {
  return historyStore().read(name, { instanceId, imageId }, gates.recurrence.windowDays, now);
}

export function historyStore(): HistoryStore {
  return new HistoryStore(dynamo(), environment().STATE_TABLE);
}
