import { ApprovalStore } from '../adapters/approval-store.ts';
import { dynamo } from '../adapters/dynamo.ts';
import { environment } from '../adapters/environment.ts';
import { MedicError } from '../adapters/medic-error.ts';
import type { Approval } from '../domain/approval/approval.ts';
import { mayGoOn, stageAt } from '../domain/approval/stages.ts';
import { decideForAll } from './cohort.ts';
import { phase } from './phase.ts';
import { tellSettled } from './tell-settled.ts';

/**
 * After each stage of the wait, however it ended: an approval that is still pending goes on to its next stage, or expires
 * after the last, unless somebody decides at the very moment. Whichever write was first is the truth.
 */
export const handler = phase(
  'settle-approval',
  async (state, context) => {
    const { approval, rung } = state;
    if (approval === undefined || rung === undefined) throw new MedicError('there is no approval to settle');
    const store = new ApprovalStore(dynamo(), environment().STATE_TABLE);
    const { interruption, ...rest } = approval;
    const next = mayGoOn(approval, ranOut(interruption)) ? stageAt(approval, context.now()) : undefined;
    if (next !== undefined && (await store.get(approval.id))?.status === 'pending') {
      return {
        ...state,
        approval: { ...rest, stage: next.stage, timeoutSeconds: next.seconds, told: approval.stage },
      };
    }
    const settled = await store.end(approval.id, 'expired');
    if (settled === undefined)
      throw new MedicError(`approval ${approval.id} was never stored, so nobody could decide on it`);
    const decision = settled.decisions.at(-1);
    const decided = settled.status === 'approved' || settled.status === 'denied';
    const reason = (decided ? decision?.reason : undefined) ?? expiryReason(settled, interruption);
    // Before anything else of this incident: the others of its cohort go by it, whatever becomes of this one.
    const cohort = await decideForAll(state, settled, reason, context);
    // Before the entry by which the janitor knows that this was done.
    await tellSettled(settled, reason, context.now(), context.logger);
    await context.audit({
      step: 'approval.settled',
      actor:
        decided && decision !== undefined
          ? { kind: 'person', id: decision.person }
          : { kind: 'rule', id: 'expiry' },
      what: decided
        ? settled.decisions.map(({ person, decision: what }) => `${person} decided: ${what}`).join('; ')
        : (reason ?? settled.status),
      outcome: settled.status,
      rung: state.ladder.index,
      treatment: rung.treatment,
      arguments: rung.arguments,
      evidenceDigest: approval.evidenceDigest,
      details: {
        approvalId: approval.id,
        quorum: settled.quorum,
        decisions: settled.decisions,
        ...(decided ? { decision } : {}),
      },
    });
    const { cohort: _, ...alone } = state;
    return {
      ...alone,
      ...(cohort === undefined ? {} : { cohort }),
      approval: {
        ...rest,
        decision: settled.status,
        ...(decided
          ? {
              by: settled.decisions
                .map(({ person }) => person)
                .join(', ')
                .slice(0, 500),
            }
          : {}),
        ...(reason === undefined ? {} : { reason }),
      },
    };
  },
  // It only writes down what has happened, which must not be lost with the lease.
  { needsLease: false },
);

/** Whether the wait came to its end by itself, or because somebody decided; otherwise nobody could be asked. */
function ranOut(interruption: unknown): boolean {
  const { Error: error = '' } = (interruption ?? {}) as { Error?: string };
  return error === '' || error === 'States.Timeout';
}

function expiryReason(approval: Approval, interruption: unknown): string | undefined {
  if (approval.status !== 'expired') return undefined;
  const { Error: error = '', Cause: cause = '' } = (interruption ?? {}) as { Error?: string; Cause?: string };
  if (!ranOut(interruption)) return `nobody could be asked: ${error}: ${cause}`.slice(0, 500);
  const { decisions, quorum, expiresAt } = approval;
  return decisions.length === 0
    ? `nobody decided by ${expiresAt}`
    : `${decisions.length} of ${quorum} people approved by ${expiresAt}`;
}
