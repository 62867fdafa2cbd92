import { ApprovalStore } from '../adapters/approval-store.ts';
import { dynamo } from '../adapters/dynamo.ts';
import { environment } from '../adapters/environment.ts';
import { MedicError } from '../adapters/medic-error.ts';
import type { Approval } from '../domain/approval/approval.ts';
import { phase } from './phase.ts';

/**
 * After the wait, however it ended: an approval that is still pending expires, unless somebody decides at the very
 * moment. Whichever write was first is the truth.
 */
export const handler = phase(
  'settle-approval',
  async (state, { audit }) => {
    const { approval, rung } = state;
    if (approval === undefined || rung === undefined) throw new MedicError('there is no approval to settle');
    const settled = await settle(new ApprovalStore(dynamo(), environment().STATE_TABLE), approval.id);
    const decision = settled.decisions.at(-1);
    const reason = decision?.reason ?? expiryReason(settled, approval.interruption);
    await audit({
      step: 'approval.settled',
      actor:
        decision === undefined ? { kind: 'rule', id: 'expiry' } : { kind: 'person', id: decision.person },
      what:
        decision === undefined
          ? (reason ?? settled.status)
          : `${decision.person} decided: ${decision.decision}`,
      outcome: settled.status,
      rung: state.ladder.index,
      treatment: rung.treatment,
      arguments: rung.arguments,
      evidenceDigest: approval.evidenceDigest,
      details: { approvalId: approval.id, ...(decision === undefined ? {} : { decision }) },
    });
    const { interruption: _, ...rest } = approval;
    return {
      ...state,
      approval: {
        ...rest,
        decision: settled.status,
        ...(decision === undefined ? {} : { by: decision.person }),
        ...(reason === undefined ? {} : { reason }),
      },
    };
  },
  // It only writes down what has happened, which must not be lost with the lease.
  { needsLease: false },
);

async function settle(store: ApprovalStore, id: string): Promise<Approval> {
  const record = await store.get(id);
  if (record === undefined)
    throw new MedicError(`approval ${id} was never stored, so nobody could decide on it`);
  if (record.status !== 'pending') return record;
  const expired: Approval = { ...record, status: 'expired' };
  if (await store.settle(expired, 'pending')) return expired;
  const decided = await store.get(id);
  if (decided === undefined) throw new MedicError(`approval ${id} vanished while it was settled`);
  return decided;
}

function expiryReason(approval: Approval, interruption: unknown): string | undefined {
  if (approval.status !== 'expired') return undefined;
  const { Error: error = '', Cause: cause = '' } = (interruption ?? {}) as { Error?: string; Cause?: string };
  return error === '' || error === 'States.Timeout'
    ? `nobody decided by ${approval.expiresAt}`
    : `nobody could be asked: ${error}: ${cause}`.slice(0, 500);
}
