import { MedicError } from '../adapters/medic-error.ts';
import { type Diagnosis, diagnose, stillMatches } from '../domain/diagnosis.ts';
import { probeValue } from '../domain/evidence/probe.ts';
import type { GateResult } from '../domain/gates/gate.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import type { Cluster } from '../domain/settings.ts';
import type { Rung } from '../domain/treatments/treatment.ts';
import { sampleOf } from '../domain/verification.ts';
import { askGates } from './ask-gates.ts';
import { leaveBudgetUncordoned } from './budget.ts';
import { beginsToAct, leaveQuietly } from './cohort.ts';
import { digestFor } from './digest-for.ts';
import { type Examined, evidenceAround, evidenceOf, withoutOutput } from './evidence-of.ts';
import { phase } from './phase.ts';

/** How often an approval may be void and asked for again before the incident gives up. */
const mostVoids = 2;

type Look = {
  decision: 'pass' | 'moved' | 'refuse' | 'wait';
  reason: string;
  /** What of the state the look has replaced. */
  seen: Pick<IncidentState, 'evidence' | 'before'>;
};

/**
 * The first state after an approval: asks all gates again, and looks whether the node is still the one that was
 * approved. What a person agreed to an hour ago is not done to a node that has moved on.
 */
export const handler = phase(
  'recheck',
  async (state, context) => {
    const { rung, approval, voids } = state;
    if (rung === undefined || approval === undefined)
      throw new MedicError('there is no approval to check again');
    const gates = await askGates(state, rung, context, true);
    const looked = lookAgain(state, rung, approval.evidenceDigest, gates, context.cluster, context.now());
    const tooLate = looked.decision === 'pass' ? await beginsToAct(state, context) : undefined;
    const look: Look =
      tooLate === undefined ? looked : { decision: 'refuse', reason: `cohort: ${tooLate}`, seen: {} };
    // What was decided for others as well is theirs still: the next of them goes first, with the same approval.
    const isOthers = look.decision === 'moved' && (await leaveQuietly(state, context));
    // A new approval is asked for on what the node is now, twice at the most.
    const again = look.decision === 'moved' && voids < mostVoids;
    const decision = look.decision === 'moved' ? (again ? 'void' : 'refuse') : look.decision;
    // The place in the budget is for a treatment, and this will be none.
    if (decision === 'void' || decision === 'refuse') await leaveBudgetUncordoned(state.incident, context);
    const rechecked: IncidentState = {
      ...withoutOutput(state),
      ...gates.remembered,
      ...look.seen,
      recheck: { decision, reason: look.reason, waitSeconds: gates.waitSeconds },
    };
    if (decision === 'wait' && state.recheck?.decision === 'wait') return rechecked;
    await context.audit({
      step: 'rechecked',
      actor: { kind: 'rule', id: 'recheck' },
      what: look.reason,
      outcome: decision,
      rung: state.ladder.index,
      treatment: rung.treatment,
      arguments: rung.arguments,
      evidenceDigest: approval.evidenceDigest,
      details: { approvalId: approval.id, gates: gates.all, voids },
    });
    if (look.decision !== 'moved') return rechecked;
    const { cohort: _, ...alone } = rechecked;
    if (isOthers) return { ...alone, voids: voids + 1 };
    return {
      ...alone,
      voided: look.reason,
      voids: voids + 1,
      approval: { ...approval, decision: 'void', reason: look.reason },
    };
  },
  // A lease that is lost is a refusal with a reason here, not an error.
  { needsLease: false },
);

function lookAgain(
  state: IncidentState,
  rung: Rung,
  approvedDigest: string,
  gates: GateResult,
  cluster: Cluster,
  now: Date,
): Look {
  const refuse = (reason: string): Look => ({ decision: 'refuse', reason, seen: {} });
  const waits = gates.decision === 'wait';
  if (gates.decision !== 'pass' && !waits) return refuse(`${gates.gate}: ${gates.reason}`);
  const examined = lookFor(rung, state, now);
  if ('gap' in examined) return refuse(`the node could not be looked at again: ${examined.gap.reason}`);
  const { evidence } = examined;
  // Of one that does not answer, the cluster knows by its provider id that it is the same.
  if (evidence.unreachable === undefined && probeValue(evidence.probes.host)?.bootId == null) {
    return refuse('the node did not say which boot it is, so it may be another one');
  }
  const known = state.diagnosis;
  const diagnosis =
    // What is about the group of a node is asked once the node is cured; it is that of its cause before.
    known !== undefined &&
    (rung.kind === 'standing' || stillMatches(known.cause, evidence, cluster.thresholds))
      ? known
      : diagnose(evidence, cluster.thresholds, cluster.diagnosis.shadow);
  const digest = digestFor({ incident: state.incident, evidence, diagnosis }, rung);
  const seen = { evidence, before: sampleOf(evidence, now) };
  if (digest === approvedDigest && waits) {
    // What was approved is what a later look is compared with, and not this one.
    return { decision: 'wait', reason: `${gates.gate}: ${gates.reason}`, seen: {} };
  }
  return digest === approvedDigest
    ? { decision: 'pass', reason: 'the node is as it was when this was approved', seen }
    : {
        decision: 'moved',
        reason: movedTo(diagnosis),
        seen,
      };
}

/** What is known of the node now. To be replaced it need not answer: what is known around it is enough. */
function lookFor(rung: Rung, state: IncidentState, now: Date): Examined {
  const examined = evidenceOf(state);
  if ('evidence' in examined || rung.kind !== 'replace') return examined;
  const evidence = evidenceAround(state, examined.gap, now);
  return evidence === undefined ? examined : { evidence };
}

/** Why the node is not the one that was approved. Where the look itself is what failed, the gaps are the reason. */
function movedTo({ cause, gaps }: Diagnosis): string {
  const unseen = gaps.map(({ probe, reason }) => `${probe} (${reason})`).join('; ');
  const why = cause === 'inconclusive' && unseen !== '' ? `, for want of ${unseen.slice(0, 500)}` : '';
  return `the node has moved on since this was approved: it is now diagnosed ${cause}${why}`;
}
