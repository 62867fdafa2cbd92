import { changeToUndo } from '../domain/audit/open-changes.ts';
import type { Command, IncidentState } from '../domain/incident-state.ts';
import { undoneBy } from '../domain/treatments/undo-result.ts';
import { withoutOutput } from './evidence-of.ts';
import { phase } from './phase.ts';

/** What the undo did. One that failed ends the incident as failed, and a person is called. */
export const handler = phase(
  'record-undo',
  async (state, { trail, audit }) => {
    const { command } = state;
    const undo = endOf(command);
    const { ladder, rung } = state;
    const change = changeToUndo(await trail.entries(state.incident.id), ladder.index, rung?.treatment);
    const treatment = change?.treatment ?? rung?.treatment;
    await audit({
      step: 'undo.finished',
      actor: { kind: 'rule', id: 'undo' },
      what: undo.reason,
      outcome: undo.status,
      rung: change?.rung ?? ladder.index,
      ...(treatment === undefined ? {} : { treatment }),
      ...(command?.document === undefined ? {} : { document: command.document }),
      details: { commandId: command?.commandId ?? null, output: (command?.output ?? '').slice(0, 2000) },
    });
    return { ...withoutOutput(state), undo };
  },
  { cleansUp: true },
);

function endOf(command: Command | undefined): NonNullable<IncidentState['undo']> {
  if (command === undefined) return { status: 'nothing', reason: 'nothing was sent to the node' };
  if (command.status === 'not-needed')
    return { status: 'nothing', reason: command.reason ?? 'nothing to undo' };
  return command.undone ?? undoneBy(command);
}
