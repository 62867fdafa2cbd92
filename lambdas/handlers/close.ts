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
import { openChanges, openCordons } from '../domain/audit/open-changes.ts';
import { closingMessage, hasCalled } from '../domain/closing-message.ts';
import { pastOf } from '../domain/history/past.ts';
import { incidentFigures } from '../domain/incident-figures.ts';
import { endingOf, rungResult } from '../domain/incident-progress.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import { lookAgainFor } from '../domain/look-again.ts';
import { endedMessage, helpedOf } from '../domain/standing/act.ts';
import { isOfStanding } from '../domain/standing/plan-of-standing.ts';
import { standingChanges } from '../domain/standing-changes.ts';
import { leavePlace } from './breaker.ts';
import { endPlace } from './budget.ts';
import { leaveCohort } from './leave-cohort.ts';
import { type PhaseContext, phase } from './phase.ts';
import { historyStore } from './recurrence.ts';
import { causeOf, tellOfClosing } from './roll.ts';
import { leaveStanding } from './standing.ts';
import { tellVoid } from './tell-settled.ts';
import { uncordon } from './uncordon.ts';

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
    await takeBackCordon(state, context);
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
    // A standing treatment is judged every week, over all nodes of its group.
    const looks = context.cluster.census.enabled && !isOfStanding(state.incident.alarm, state.diagnosis);
    const lookAgain = looks ? (state.cure?.lookAgain ?? lookAgainFor(state, closedAt)) : undefined;
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
    const nameOf = (name: string): string =>
      Object.hasOwn(DOCUMENTS, name) ? (DOCUMENTS[name]?.name ?? name) : name;
    const cause = causeOf(closed);
    const notified =
      closingMessage(closed, nameOf) === undefined
        ? 'not needed'
        : await tellOfClosing(
            { ...state.incident, incident: id, cause, outcome, called: hasCalled(closed) },
            (wasCalled) => closingMessage(closed, nameOf, wasCalled),
            { settings: context.cluster.roll, now: closedAt, logger: context.logger },
          );
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
    const ended = await leaveStanding(
      state.incident,
      helpedOf(closed),
      context.cluster.standing.failures,
      context.logger,
    );
    if (ended !== undefined) {
      await attempt(context, 'message', () =>
        publish(sns, environment().NOTIFY_TOPIC_ARN, endedMessage(closed, ended)),
      );
    }
    await leavePlace(state, context);
    await leaveCohort(state, context);
    await endPlace(state.incident, entries, context.logger);
    const released = await context.leases.release(instanceId, id);
    await context.audit({
      step: 'incident.closed',
      actor: { kind: 'rule', id: 'close' },
      what: reason,
      outcome,
      details: {
        cause,
        notified,
        measured,
        history: recorded,
        leaseReleased: released,
        staying: standingChanges(closed.results),
        ...(ended === undefined ? {} : { standingEnded: ended }),
        ...(lookAgain === undefined ? {} : { lookAgain, lookAgainRemembered: remembered }),
        seconds: (closedAt.getTime() - Date.parse(openedAt)) / 1000,
      },
    });
    await context.trail.close(id, headSigner(kms, environment().SIGNING_KEY_ID));
    return closed;
  },
  { cleansUp: true },
);

/** A cordon stands for as long as its incident lives, and no longer. One that cannot be taken back is left to the janitor. */
async function takeBackCordon({ incident }: IncidentState, { trail, audit }: PhaseContext): Promise<void> {
  const [change] = openCordons(await trail.entries(incident.id));
  if (change === undefined) return;
  const actor = { kind: 'rule', id: 'close' } as const;
  const { id, cluster, instanceId } = incident;
  const { status, reason } = await uncordon(change, { incident: id, cluster, instanceId }, audit, actor);
  const { rung, treatment } = change;
  await audit({ step: 'undo.finished', actor, what: reason, outcome: status, rung, treatment });
}

async function attempt({ logger }: PhaseContext, what: string, act: () => Promise<void>): Promise<string> {
  try {
    await act();
    return 'done';
  } catch (error) {
    logger.error(`the ${what} of the closing incident failed`, { error });
    return `failed: ${error instanceof Error ? error.name : 'unknown error'}`;
  }
}
