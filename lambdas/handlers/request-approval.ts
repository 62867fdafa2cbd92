import { SNSClient } from '@aws-sdk/client-sns';
import * as z from 'zod';
import { ApprovalStore } from '../adapters/approval-store.ts';
import { dynamo } from '../adapters/dynamo.ts';
import { environment } from '../adapters/environment.ts';
import { MedicError } from '../adapters/medic-error.ts';
import { publish } from '../adapters/notifier.ts';
import type { Approval } from '../domain/approval/approval.ts';
import { cardOf } from '../domain/approval/card.ts';
import { type DecideAt, decideAt } from '../domain/approval/decide-at.ts';
import { askingMessage } from '../domain/approval/messages.ts';
import type { AuditStep } from '../domain/audit/entry.ts';
import { cohortLines } from '../domain/cohort/cohort-lines.ts';
import { historyLines, imageWarning } from '../domain/history/history-lines.ts';
import type { History } from '../domain/history/past.ts';
import { IncidentState } from '../domain/incident-state.ts';
import type { Cluster } from '../domain/settings.ts';
import { budgetOf } from './budget.ts';
import { cohortAsked } from './cohort.ts';
import { phase } from './phase.ts';
import { historyOf } from './recurrence.ts';

const Input = z.object({ state: IncidentState, taskToken: z.string().min(1) });
const sns = new SNSClient({});

/** Incidents of a cohort that an entry lists: one of DynamoDB is at most 400 KB, and each has a trail of its own. */
const mostListed = 200;

const steps = {
  asked: 'approval.requested',
  reminded: 'approval.reminded',
  escalated: 'approval.escalated',
} as const satisfies Record<string, AuditStep>;

/** Ends a wait that need not begin. It is caught by the state after the wait, which reads the record as it always does. */
class DecidedMeanwhileError extends MedicError {
  override readonly name = 'DecidedMeanwhileError';
}

/**
 * Begins one stage of the wait: stores the approval with the task token of this wait, and tells people. What it returns is
 * not used: the execution goes on when `decide` wakes it, or when the stage ends.
 */
export async function handler(input: unknown): Promise<void> {
  const { state, taskToken } = Input.parse(input);
  await phase('request-approval', async (present, context) => {
    const { audit, renewFor, settings, cluster, now, logger } = context;
    const { approval: asked, rung } = present;
    if (asked === undefined || rung === undefined) throw new MedicError('there is no rung to approve');
    // The node stays ours for the whole stage, and for one lease beyond it.
    await renewFor(asked.timeoutSeconds + settings.lease.seconds);
    const store = new ApprovalStore(dynamo(), environment().STATE_TABLE);
    const together = await cohortAsked(present);
    const approval = {
      ...approvalOf(present, asked, rung, cluster, now()),
      ...(together === undefined ? {} : { cohort: together.key }),
    };
    const { stage } = asked;
    if (stage === 'asked') await store.request(approval, taskToken);
    else await store.setToken(approval, taskToken);
    // Whoever decides writes the record and then reads the token; here it is the other way round. So one of the two sees
    // the other, and a decision between two stages is not waited for.
    const record = await store.get(asked.id);
    if (record !== undefined && record.status !== 'pending') {
      throw new DecidedMeanwhileError(
        `approval ${asked.id} is ${record.status} already; there is nothing to wait for`,
      );
    }
    const before = await historyOf(present.incident, cluster, now()).then(
      linesFor(present),
      (error: unknown) => {
        logger.error('what was done before could not be read', { error });
        return ['What happened to this node and its machine image before could not be read.'];
      },
    );
    const card = cardOf(record ?? approval, present, {
      decideAt: consoleDoor(asked.id),
      history: before,
      budget: await budgetOf(present, context),
      ...(together === undefined
        ? {}
        : {
            cohort: {
              nodes: together.cohort.members.length,
              lines: cohortLines(together.cohort, cluster.gates.cohort),
            },
          }),
    });
    await store.setCard(approval, card);
    if (asked.told === stage) return present;
    await audit({
      step: steps[stage],
      actor: { kind: 'rule', id: `gate:${present.gate?.gate ?? 'unknown'}` },
      what: {
        asked: `a person is asked to approve ${rung.treatment}, until ${asked.expiresAt}`,
        reminded: `people are reminded of the approval of ${rung.treatment}, which expires at ${asked.expiresAt}`,
        escalated: `@${approval.escalateTo} is told of the approval of ${rung.treatment}, which expires at ${asked.expiresAt}`,
      }[stage],
      rung: present.ladder.index,
      treatment: rung.treatment,
      arguments: rung.arguments,
      evidenceDigest: asked.evidenceDigest,
      details: {
        approvalId: asked.id,
        expiresAt: asked.expiresAt,
        quorum: approval.quorum,
        ...(together === undefined
          ? {}
          : {
              cohort: together.key,
              incidents: together.cohort.members.map(({ incident }) => incident).slice(0, mostListed),
              nodes: together.cohort.members.length,
            }),
      },
    });
    await publish(sns, environment().NOTIFY_TOPIC_ARN, askingMessage(card, stage, approval.escalateTo));
    return present;
  })(state);
}

function approvalOf(
  { incident }: IncidentState,
  asked: NonNullable<IncidentState['approval']>,
  rung: Approval['rung'],
  { approval: settings }: Cluster,
  now: Date,
): Approval {
  const risk = rung.risk === 'none' ? 'low' : rung.risk;
  return {
    version: 1,
    id: asked.id,
    incident: incident.id,
    cluster: incident.cluster,
    instanceId: incident.instanceId,
    cohort: null,
    rung,
    evidenceDigest: asked.evidenceDigest,
    requestedBy: incident.alarm.requestedBy ?? null,
    quorum: settings.quorum[risk],
    approvers: settings.approvers[risk],
    createdAt: asked.createdAt ?? now.toISOString(),
    remindAt: asked.remindAt,
    escalateAt: asked.escalateAt,
    escalateTo: settings.escalation.group ?? null,
    expiresAt: asked.expiresAt,
    status: 'pending',
    decisions: [],
  };
}

/** Where people decide who have rights in the account that this function runs in, if it is one. */
function consoleDoor(approvalId: string): DecideAt | undefined {
  const { DECIDE_DOCUMENT, AWS_REGION, ONE_MACHINE } = environment();
  const isAccount = ONE_MACHINE === undefined;
  return isAccount && DECIDE_DOCUMENT !== undefined && AWS_REGION !== undefined
    ? decideAt(DECIDE_DOCUMENT, AWS_REGION, approvalId)
    : undefined;
}

/** What happened before; and where the node is to be replaced, first of all that the next one may be no better. */
function linesFor({
  rung,
  incident,
}: Pick<IncidentState, 'rung' | 'incident'>): (history: History) => string[] {
  return (history) => [
    ...(rung?.kind === 'replace' ? imageWarning(history, incident.instanceId) : []),
    ...historyLines(history),
  ];
}
