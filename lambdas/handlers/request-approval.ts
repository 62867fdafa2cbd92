import { SNSClient } from '@aws-sdk/client-sns';
import * as z from 'zod';
import { ApprovalStore } from '../adapters/approval-store.ts';
import { dynamo } from '../adapters/dynamo.ts';
import { environment } from '../adapters/environment.ts';
import { MedicError } from '../adapters/medic-error.ts';
import { publish } from '../adapters/notifier.ts';
import type { Approval } from '../domain/approval/approval.ts';
import { cardOf, cardText } from '../domain/approval/card.ts';
import { type DecideAt, decideAt } from '../domain/approval/decide-at.ts';
import { IncidentState } from '../domain/incident-state.ts';
import { phase } from './phase.ts';

const Input = z.object({ state: IncidentState, taskToken: z.string().min(1) });
const sns = new SNSClient({});

/**
 * Stores the approval with its task token and tells people. What it returns is not used: the execution goes on when
 * `decide` wakes it, or when the wait ends.
 */
export async function handler(input: unknown): Promise<void> {
  const { state, taskToken } = Input.parse(input);
  await phase('request-approval', async (present, { audit, renewFor, settings, now }) => {
    const { approval: asked, rung } = present;
    if (asked === undefined || rung === undefined) throw new MedicError('there is no rung to approve');
    // The node stays ours for the whole wait, and for one lease beyond it.
    await renewFor(asked.timeoutSeconds + settings.lease.seconds);
    const approval: Approval = {
      version: 1,
      id: asked.id,
      incident: present.incident.id,
      cluster: present.incident.cluster,
      instanceId: present.incident.instanceId,
      cohort: null,
      rung,
      evidenceDigest: asked.evidenceDigest,
      requestedBy: present.incident.alarm.requestedBy ?? null,
      quorum: 1,
      approvers: [],
      remindAt: null,
      escalateAt: null,
      escalateTo: null,
      createdAt: now().toISOString(),
      expiresAt: asked.expiresAt,
      status: 'pending',
      decisions: [],
    };
    await new ApprovalStore(dynamo(), environment().STATE_TABLE).request(approval, taskToken);
    await audit({
      step: 'approval.requested',
      actor: { kind: 'rule', id: `gate:${present.gate?.gate ?? 'unknown'}` },
      what: `a person is asked to approve ${rung.treatment}, until ${asked.expiresAt}`,
      rung: present.ladder.index,
      treatment: rung.treatment,
      arguments: rung.arguments,
      evidenceDigest: asked.evidenceDigest,
      details: { approvalId: asked.id, expiresAt: asked.expiresAt },
    });
    const card = cardOf(approval, present, null, consoleDoor(approval.id));
    const { title, text } = cardText(card);
    await publish(sns, environment().NOTIFY_TOPIC_ARN, {
      kind: 'approval-requested',
      incident: present.incident.id,
      title,
      text,
      approvalId: asked.id,
      expiresAt: asked.expiresAt,
      card,
    });
    return present;
  })(state);
}

/** Where people decide who have rights in the account that this function runs in, if it is one. */
function consoleDoor(approvalId: string): DecideAt | undefined {
  const { DECIDE_DOCUMENT, AWS_REGION, CGROUP_MEDIC_ONE_MACHINE } = environment();
  const isAccount = CGROUP_MEDIC_ONE_MACHINE === undefined;
  return isAccount && DECIDE_DOCUMENT !== undefined && AWS_REGION !== undefined
    ? decideAt(DECIDE_DOCUMENT, AWS_REGION, approvalId)
    : undefined;
}
