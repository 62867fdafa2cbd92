import { Logger } from '@aws-lambda-powertools/logger';
import { SFNClient } from '@aws-sdk/client-sfn';
import * as z from 'zod';
import { ApprovalStore } from '../adapters/approval-store.ts';
import { TrailClosedError } from '../adapters/audit-trail.ts';
import { dynamo } from '../adapters/dynamo.ts';
import { environment } from '../adapters/environment.ts';
import { clusterSettings, settings } from '../adapters/settings-file.ts';
import { wake } from '../adapters/wake.ts';
import { type Approval, type DecideRequest, Decision, decide } from '../domain/approval/approval.ts';
import { Door, Person } from '../domain/approval/person.ts';
import { auditTrail } from './phase.ts';

const nobodyElse = { known: false, groups: [], aliases: [] };

const Input = z.object({
  approvalId: z.string().min(1).max(300),
  decision: Decision.shape.decision,
  by: z.object({
    /** A bare name is somebody at the keyboard of this machine. */
    person: z.union([Person, Decision.shape.person.transform((id): Person => ({ id, ...nobodyElse }))]),
    door: Door,
  }),
  reason: Decision.shape.reason,
});

export type DecideAnswer =
  | { status: 'recorded'; approval: { status: Approval['status']; decisions: number; quorum: number } }
  | { status: 'refused'; reason: string };

/** More decisions of others than this cannot come between: a quorum is three at most. */
const mostRounds = 10;

const logger = new Logger();
const sfn = new SFNClient({});

/**
 * The one function behind every door, which says who it is that decides: checks, decides the race by one conditional
 * write, then wakes the execution. The record is the truth: a token that cannot be used any more takes nothing from a
 * decision that was recorded.
 */
export async function handler(input: unknown): Promise<DecideAnswer> {
  const parsed = Input.safeParse(input);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { status: 'refused', reason: `the request is wrong: ${issue?.path.join('.')}: ${issue?.message}` };
  }
  const { approvalId, decision, by, reason } = parsed.data;
  logger.resetKeys();
  logger.appendKeys({ approvalId, door: by.door, decision });
  const request: DecideRequest = { ...by, decision, ...(reason === undefined ? {} : { reason }) };
  if (by.door === 'local' && environment().ONE_MACHINE === undefined) {
    return {
      status: 'refused',
      reason: 'the local door is open on one machine only: use Slack or the console',
    };
  }
  const store = new ApprovalStore(dynamo(), environment().STATE_TABLE);
  for (let round = 0; round < mostRounds; round += 1) {
    const approval = await store.get(approvalId);
    if (approval === undefined) return { status: 'refused', reason: `there is no approval ${approvalId}` };
    // A second click of the same person for the same thing: the first may have been recorded and never woken anybody.
    if (isDecidedBy(approval, request)) return finish(store, approval, request);
    const { onePersonTeam } = clusterSettings(settings(), approval.cluster).approval;
    const decided = decide(approval, request, new Date(), onePersonTeam);
    if (!decided.ok) return refuse(approval, request, decided.reason);
    if (await store.settle(decided.approval, approval)) return finish(store, decided.approval, request);
    // Somebody was faster, or the write was ours all the same, with its answer lost and the repetition refused.
  }
  return { status: 'refused', reason: 'others kept deciding at the same time: try again' };
}

function isDecidedBy({ status, decisions }: Approval, { person, decision }: DecideRequest): boolean {
  const stands = status === 'pending' || status === (decision === 'approve' ? 'approved' : 'denied');
  return stands && decisions.some((one) => one.person === person.id && one.decision === decision);
}

async function finish(
  store: ApprovalStore,
  approval: Approval,
  request: DecideRequest,
): Promise<DecideAnswer> {
  const { status, decisions, quorum } = approval;
  const own = decisions.find(({ person }) => person === request.person.id);
  await record(approval, request, {
    outcome: request.decision,
    what: [
      request.reason?.trim() || 'no reason given',
      ...(quorum > 1 && request.decision === 'approve' ? [`${decisions.length} of ${quorum}`] : []),
      ...(own?.onePersonTeam ? ['they asked for it themselves, and this cluster has a team of one'] : []),
    ].join('; '),
    key: `decided:${request.decision}:${request.person.id}`,
  });
  if (status !== 'pending') await wake(sfn, await store.token(approval.id), logger);
  return { status: 'recorded', approval: { status, decisions: decisions.length, quorum } };
}

async function refuse(approval: Approval, request: DecideRequest, reason: string): Promise<DecideAnswer> {
  logger.info('decision refused', { person: request.person.id, reason });
  await record(approval, request, { outcome: 'refused', what: reason, key: `refused:${Date.now()}` });
  return { status: 'refused', reason };
}

async function record(
  approval: Approval,
  { person, door }: DecideRequest,
  { outcome, what, key }: { outcome: string; what: string; key: string },
): Promise<void> {
  try {
    await auditTrail().append(
      {
        step: 'approval.decided',
        actor: { kind: 'person', id: person.id },
        what,
        outcome,
        treatment: approval.rung.treatment,
        arguments: approval.rung.arguments,
        evidenceDigest: approval.evidenceDigest,
        details: { approvalId: approval.id, door },
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
    logger.info('the incident is closed; the click is not part of its trail', { person: person.id, outcome });
  }
}
