import { dynamo } from '../adapters/dynamo.ts';
import { environment } from '../adapters/environment.ts';
import { MedicError } from '../adapters/medic-error.ts';
import { beginStanding } from '../adapters/standing-writer.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import { standingOf } from '../domain/standing/begin.ts';
import { endCommand } from '../domain/standing/end-command.ts';
import { standingText } from '../domain/standing/standing.ts';
import { actorOf } from './allowed-by.ts';
import { phase } from './phase.ts';

/**
 * Carries out a rung that is about the group of the node: writes down what was agreed to, for the census to go by. It is one write,
 * which may be repeated, and nothing on the node changes; what it began, it ends by itself, or people end it.
 */
export const handler = phase('begin-standing', async (state, { audit, now }) => {
  const { rung, incident } = state;
  if (rung === undefined) throw new MedicError('there is no rung to begin');
  const standing = standingOf(state, now());
  const subject = { rung: state.ladder.index, treatment: rung.treatment, arguments: rung.arguments };
  const details = { standing };
  await audit({
    step: 'treatment.intended',
    actor: actorOf(state),
    what: `${standingText(standing)} is about to begin`,
    ...subject,
    details,
  });
  const refused = await beginStanding(dynamo(), environment().STATE_TABLE, standing, now());
  const treatment: NonNullable<IncidentState['treatment']> =
    refused === undefined
      ? {
          status: 'done',
          reason: `${standingText(standing)}. To end it sooner: ${endCommand(incident.cluster, standing.nodeGroup, standing.treatment)}`,
          // Nothing on this node.
          result: { changed: false, before: {}, after: {} },
        }
      : { status: 'refused', reason: `there is one for this group already: ${refused}` };
  await audit({
    step: 'treatment.finished',
    actor: { kind: 'rule', id: 'treat' },
    what: `${rung.treatment}: ${treatment.reason}`,
    outcome: treatment.status,
    ...subject,
    details: { ...details, clean: true },
  });
  return { ...state, treatment };
});
