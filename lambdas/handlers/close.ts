import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { KMSClient } from '@aws-sdk/client-kms';
import { SNSClient } from '@aws-sdk/client-sns';
import { dynamo } from '../adapters/dynamo.ts';
import { environment } from '../adapters/environment.ts';
import { headSigner } from '../adapters/head-signer.ts';
import { publishIncident } from '../adapters/incident-metrics.ts';
import { MedicError } from '../adapters/medic-error.ts';
import { publish } from '../adapters/notifier.ts';
import { SecondLookStore } from '../adapters/second-look-store.ts';
import { openChanges } from '../domain/audit/open-changes.ts';
import { closingMessage } from '../domain/closing-message.ts';
import { pastOf } from '../domain/history/past.ts';
import { incidentFigures } from '../domain/incident-figures.ts';
import { endingOf, rungResult } from '../domain/incident-progress.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import { lookAgainFor } from '../domain/look-again.ts';
import { standingChanges } from '../domain/standing-changes.ts';
import { leavePlace } from './breaker.ts';
import { leaveBudget } from './budget.ts';
import { leaveCohort } from './leave-cohort.ts';
import { type PhaseContext, phase } from './phase.ts';
import { historyStore } from './recurrence.ts';
import { tellVoid } from './tell-settled.ts';

const sns = new SNSClient({});
const cloudwatch = new CloudWatchClient({});
const kms = new KMSClient({});

/**
 * Ends the incident: tells people, gives the lease back, writes and signs the last audit entry. A message or a metric
 * that fails is recorded and does not keep the node leased; an audit that fails does end the execution as failed.
 */
export const handler = phase(
  'close',
  async (state, context) => {
    const { id, instanceId, openedAt } = state.incident;
    const closedAt = context.now();
    const entries = await context.trail.entries(id);
    const open = openChanges(entries);
    if (open.length > 0) {
      // Not an end: the failed execution wakes the janitor, which undoes it, and then closes the incident.
      const left = open.map(({ treatment }) => treatment).join(', ');
      throw new MedicError(`${left} may still stand on ${instanceId}; the janitor has to undo it first`);
    }
    const { outcome, reason } = endingOf(state);
    const last = rungResult(state);
    // Where there is no census, nobody is promised one.
    const lookAgain = context.cluster.census.enabled ? lookAgainFor(state, closedAt) : undefined;
    const closed = {
      ...state,
      results:
        last === undefined || state.ladder.status !== 'rung' ? state.results : [...state.results, last],
      outcome,
      outcomeReason: reason,
      closedAt: closedAt.toISOString(),
      ...(lookAgain === undefined ? {} : { lookAgain }),
    } satisfies IncidentState;
    await tellVoid(state.approval, closedAt, context.logger);
    const { DOCUMENTS } = environment();
    const message = closingMessage(closed, (name) =>
      Object.hasOwn(DOCUMENTS, name) ? (DOCUMENTS[name]?.name ?? name) : name,
    );
    const notified =
      message === undefined
        ? 'not needed'
        : await attempt(context, 'message', () => publish(sns, environment().NOTIFY_TOPIC_ARN, message));
    const measured = await attempt(context, 'metric', () =>
      publishIncident(cloudwatch, incidentFigures(closed, entries, closedAt), closedAt),
    );
    const remembered =
      lookAgain === undefined
        ? undefined
        : await attempt(context, 'second look', () =>
            new SecondLookStore(dynamo(), environment().STATE_TABLE).remember(
              state.incident.cluster,
              instanceId,
              {
                ...lookAgain,
                incident: id,
              },
            ),
          );
    const past = pastOf(closed);
    const recorded =
      past === undefined
        ? 'not needed'
        : await attempt(context, 'history', () => historyStore().remember(state.incident.cluster, past));
    await leavePlace(state, context);
    await leaveCohort(state, context);
    await leaveBudget(state.incident, context.logger);
    const released = await context.leases.release(instanceId, id);
    await context.audit({
      step: 'incident.closed',
      actor: { kind: 'rule', id: 'close' },
      what: reason,
      outcome,
      details: {
        notified,
        measured,
        history: recorded,
        leaseReleased: released,
        staying: standingChanges(closed.results),
        ...(lookAgain === undefined ? {} : { lookAgain, lookAgainRemembered: remembered }),
        seconds: (closedAt.getTime() - Date.parse(openedAt)) / 1000,
      },
    });
    await context.trail.close(id, headSigner(kms, environment().SIGNING_KEY_ID));
    return closed;
  },
  { cleansUp: true },
);

async function attempt({ logger }: PhaseContext, what: string, act: () => Promise<void>): Promise<string> {
  try {
    await act();
    return 'done';
  } catch (error) {
    logger.error(`the ${what} of the closing incident failed`, { error });
    return `failed: ${error instanceof Error ? error.name : 'unknown error'}`;
  }
}
