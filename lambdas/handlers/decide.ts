import { Logger } from '@aws-lambda-powertools/logger';
import { SendTaskSuccessCommand, SFNClient } from '@aws-sdk/client-sfn';
import * as z from 'zod';
import { ApprovalStore } from '../adapters/approval-store.ts';
import { TrailClosedError } from '../adapters/audit-trail.ts';
import { dynamo } from '../adapters/dynamo.ts';
import { environment } from '../adapters/environment.ts';
import { clusterSettings, settings } from '../adapters/settings-file.ts';
import { type Approval, Decision, decide } from '../domain/approval/approval.ts';
import { Person } from '../domain/approval/person.ts';
import { auditTrail } from './phase.ts';

const Input = z.object({
  approvalId: z.string().min(1).max(300),
  decision: Decision.shape.decision,
  by: z.union([
    z.object({ person: Person, door: Decision.shape.door }),
    // On one machine people are known by no more than a name.
    z.object({ person: Decision.shape.person, door: z.literal('local') }),
  ]),
  reason: Decision.shape.reason,
});

export type DecideAnswer =
  | { status: 'recorded'; approval: { status: string; decisions: number; quorum: number } }
  | { status: 'refused'; reason: string };

const logger = new Logger();
const sfn = new SFNClient({});

/**
 * The one function behind every door: checks, decides the race by one conditional write, then wakes the execution.
 * The record is the truth: a token that cannot be used any more takes nothing from a decision that was recorded.
 */
export async function handler(input: unknown): Promise<DecideAnswer> {
  const parsed = Input.safeParse(input);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { status: 'refused', reason: `the request is wrong: ${issue?.path.join('.')}: ${issue?.message}` };
  }
  const { approvalId, decision, by, reason } = parsed.data;
  logger.appendKeys({ approvalId, door: by.door, decision });
  const { STATE_TABLE, CGROUP_MEDIC_ONE_MACHINE } = environment();
  if (by.door === 'local' && CGROUP_MEDIC_ONE_MACHINE === undefined) {
    return {
      status: 'refused',
      reason: 'who is logged in decides on one machine alone, and this is an account',
    };
  }
  const store = new ApprovalStore(dynamo(), STATE_TABLE);
  const approval = await store.get(approvalId);
  if (approval === undefined) return { status: 'refused', reason: `there is no approval ${approvalId}` };

  const { onePersonTeam } = clusterSettings(settings(), approval.cluster).approval;
  const person: Person =
    typeof by.person === 'string' ? { id: by.person, known: false, groups: [], aliases: [] } : by.person;
  const request = { person, door: by.door, decision, ...(reason === undefined ? {} : { reason }) };
  const finish = async ({ status, decisions, quorum }: Approval): Promise<DecideAnswer> => {
    await record(approval, person.id, decision, reason ?? 'no reason given', `decided:${decision}`);
    await wake(await store.token(approvalId));
    return { status: 'recorded', approval: { status, decisions: decisions.length, quorum } };
  };
  // A second click of the same person for the same thing: the first may have been recorded and never woken anybody.
  if (isDecidedBy(approval, person.id, decision)) return finish(approval);
  const decided = decide(approval, request, new Date(), onePersonTeam);
  if (!decided.ok) return refuse(approval, person.id, decided.reason);
  if (await store.settle(decided.approval, 'pending')) return finish(decided.approval);
  // The write may have been ours all the same, with its answer lost and the repetition refused.
  const winner = await store.get(approvalId);
  if (winner !== undefined && isDecidedBy(winner, person.id, decision)) return finish(winner);
  return refuse(approval, person.id, `somebody was faster: it is already ${winner?.status ?? 'gone'}`);
}

function isDecidedBy(
  { status, decisions }: Approval,
  person: string,
  decision: Decision['decision'],
): boolean {
  const last = decisions.at(-1);
  const settled = status === 'approved' || status === 'denied';
  return settled && last?.person === person && last.decision === decision;
}

async function refuse(approval: Approval, person: string, reason: string): Promise<DecideAnswer> {
  logger.info('decision refused', { person, reason });
  await record(approval, person, 'refused', reason, `refused:${Date.now()}`);
  return { status: 'refused', reason };
}

async function record(
  approval: Approval,
  person: string,
  outcome: string,
  what: string,
  key: string,
): Promise<void> {
  try {
    await auditTrail().append(
      {
        step: 'approval.decided',
        actor: { kind: 'person', id: person },
        what,
        outcome,
        treatment: approval.rung.treatment,
        arguments: approval.rung.arguments,
        evidenceDigest: approval.evidenceDigest,
        details: { approvalId: approval.id },
      },
      {
        incident: approval.incident,
        cluster: approval.cluster,
        instanceId: approval.instanceId,
        fencing: null,
        software: environment().SOFTWARE_VERSION,
        at: new Date().toISOString(),
        key: `decide:${approval.id}:${key}`,
      },
    );
  } catch (error) {
    // A click after the end changes nothing any more, and the answer says so; the log keeps it.
    if (!(error instanceof TrailClosedError)) throw error;
    logger.info('the incident is closed; the click is not part of its trail', { person, outcome });
  }
}

async function wake(token: string | undefined): Promise<void> {
  if (token === undefined)
    return logger.warn('the approval has no task token; the wait ends by its time-out');
  try {
    await sfn.send(new SendTaskSuccessCommand({ taskToken: token, output: '{}' }));
  } catch (error) {
    logger.warn('the execution could not be woken; the wait ends by its time-out, and obeys the record', {
      error,
    });
  }
}
