import { MedicError } from '../adapters/medic-error.ts';
import { diagnose } from '../domain/diagnosis.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import { sampleOf } from '../domain/verification.ts';
import { askGates } from './ask-gates.ts';
import { evidenceOf, withoutOutput } from './evidence-of.ts';
import { digestFor } from './gate.ts';
import { phase } from './phase.ts';

/** How often an approval may be void and asked for again before the incident gives up. */
const mostVoids = 2;

type Answer = NonNullable<IncidentState['recheck']>;

/**
 * The first state after an approval: asks all gates again, and looks whether the node is still the one that was
 * approved. What a person agreed to an hour ago is not done to a node that has moved on.
 */
export const handler = phase(
  'recheck',
  async (state, context) => {
    const { rung, approval } = state;
    if (rung === undefined || approval === undefined)
      throw new MedicError('there is no approval to check again');
    const examined = evidenceOf(state);
    const gates = await askGates(state, rung, context, true);

    let answer: Answer;
    let present: IncidentState = withoutOutput(state);
    if (gates.decision !== 'pass') {
      answer = { decision: 'refuse', reason: `${gates.gate}: ${gates.reason}` };
    } else if ('gap' in examined) {
      answer = {
        decision: 'refuse',
        reason: `the node could not be looked at again: ${examined.gap.reason}`,
      };
    } else {
      const { evidence } = examined;
      const diagnosis = diagnose(evidence, context.cluster.thresholds);
      const digest = digestFor({ incident: state.incident, evidence, diagnosis }, rung);
      present = { ...present, evidence, before: sampleOf(evidence, context.now()) };
      answer =
        digest === approval.evidenceDigest
          ? { decision: 'pass', reason: 'the node is as it was when this was approved' }
          : voided(
              state,
              `the node has moved on since this was approved: it is now diagnosed ${diagnosis.cause}`,
            );
    }

    await context.audit({
      step: 'rechecked',
      actor: { kind: 'rule', id: 'recheck' },
      what: answer.reason,
      outcome: answer.decision,
      rung: state.ladder.index,
      treatment: rung.treatment,
      arguments: rung.arguments,
      evidenceDigest: approval.evidenceDigest,
      details: { approvalId: approval.id, gates: gates.all, voids: state.voids },
    });
    if (answer.decision === 'pass') return { ...present, recheck: answer };
    if (gates.decision !== 'pass' || 'gap' in examined) return { ...present, recheck: answer };
    return {
      ...present,
      recheck: answer,
      voids: state.voids + 1,
      approval: { ...approval, decision: 'void', reason: answer.reason },
    };
  },
  // A lease that is lost is a refusal with a reason here, not an error.
  { tolerant: true },
);

/** Asks for a new approval on what the node is now, twice at the most. */
function voided(state: IncidentState, reason: string): Answer {
  return state.voids < mostVoids
    ? { decision: 'void', reason }
    : { decision: 'refuse', reason: `${reason}; this was the third approval that did not hold` };
}
