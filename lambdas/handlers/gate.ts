import { MedicError } from '../adapters/medic-error.ts';
import { stageAt, timesOf } from '../domain/approval/stages.ts';
import type { GateResult } from '../domain/gates/gate.ts';
import {
  afterWait,
  longestWait,
  type Waiting,
  waitedEnough,
  waitFor,
  waitMore,
} from '../domain/gates/waiting.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import type { Cluster } from '../domain/settings.ts';
import { whyNotNow } from '../domain/standing/restart-due.ts';
import type { Rung } from '../domain/treatments/treatment.ts';
import { askGates, type Gated } from './ask-gates.ts';
import { beginsToAct, beginsToAsk } from './cohort.ts';
import { digestFor } from './digest-for.ts';
import { type PhaseContext, phase } from './phase.ts';

/**
 * Asks the gates about the present rung, and again after each wait. What was found before a wait may not be so after it, so an
 * incident that has waited looks at the node again before anything is done or asked. Where a person has to approve, this says
 * what exactly they approve.
 */
export const handler = phase(
  'gate',
  async (state, context) => {
    const { rung, waiting: waited } = state;
    if (rung === undefined) throw new MedicError('there is no rung to ask the gates about');
    const {
      all,
      waitSeconds: wanted,
      remembered,
      agreed,
      together,
      ...asked
    } = await askGates(state, rung, context, false, whyNotNow);
    const first = withWait(asked, wanted, waited, together, context);
    const present = { ...state, ...remembered };
    const goesOn = first.answer.decision === 'pass' && !first.waiting?.lookAgain;
    const tooLate = goesOn ? await beginsToAct(present, context) : undefined;
    const { answer, waitSeconds, waiting } =
      tooLate === undefined
        ? first
        : withWait(
            tooLate,
            waitFor(tooLate.until, context.now()),
            first.waiting ?? waited,
            together,
            context,
          );
    const { decision, gate, reason } = answer;
    const decided = goesOn || gate === 'cohort' ? decidedTogether(state, rung, together) : undefined;
    const gated: IncidentState = {
      ...state,
      ...remembered,
      ...(decided === undefined ? {} : { approval: decided }),
      gate: {
        decision,
        gate,
        reason,
        waitSeconds,
        ...(decision === 'pass' && agreed !== undefined ? { agreed } : {}),
      },
      ...(waiting === undefined ? {} : { waiting }),
    };
    // One entry for each wait, however often it is asked on the way, and whoever holds the places meanwhile.
    const waitsOn =
      decision === 'wait' &&
      state.gate?.decision === 'wait' &&
      state.gate.gate === gate &&
      state.cohort?.key === remembered.cohort?.key;
    if (waitsOn) return gated;
    await context.audit({
      step: 'gated',
      actor: { kind: 'rule', id: `gate:${gate}` },
      what: waiting?.lookAgain ? `after a wait, the node is looked at again before: ${reason}` : reason,
      outcome: decision,
      rung: state.ladder.index,
      treatment: rung.treatment,
      arguments: rung.arguments,
      details: {
        gates: all,
        ...(waiting === undefined ? {} : { waiting }),
        ...(remembered.cohort === undefined ? {} : { cohort: remembered.cohort.key }),
        ...(together?.role === 'turn' ? { wave: together.wave } : {}),
        ...(decided === undefined ? {} : { approvalId: decided.id, decidedBy: decided.by }),
      },
    });
    if (decision !== 'ask' || waiting?.lookAgain) return gated;
    const approval = approvalFor(state, rung, context.cluster, context.now());
    if (await beginsToAsk(present, approval, context.cluster)) return { ...gated, approval };
    throw new MedicError(`${state.incident.id} does not lead its cohort any more, and asks nobody`);
  },
  // A lease that is lost is a refusal with a reason here, not an error.
  { needsLease: false },
);

/** What the gates say, bounded: an incident that has waited for as long as it may is refused. */
function withWait(
  asked: GateResult,
  wanted: number,
  waited: Waiting | undefined,
  together: Gated['together'],
  { cluster, now }: PhaseContext,
): { answer: GateResult; waitSeconds: number; waiting?: Waiting } {
  if (asked.decision === 'wait') {
    const more = waitMore(waited, wanted, {
      now: now(),
      longest: longestWait(cluster.gates, cluster.approval),
    });
    if (more !== undefined) return { answer: asked, ...more };
  }
  const answer: GateResult =
    asked.decision === 'wait' ? { ...asked, decision: 'refuse', reason: waitedEnough(waited, asked) } : asked;
  if (waited === undefined) return { answer, waitSeconds: 0 };
  const goesOn = answer.decision === 'pass' || answer.decision === 'ask';
  return {
    answer,
    waitSeconds: 0,
    waiting: goesOn ? afterWait(waited, together?.role === 'turn') : { ...waited, lookAgain: false },
  };
}

/** The approval of all, as this incident has it: its own, of another incident, on what its node is now. */
function decidedTogether(
  state: IncidentState,
  rung: Rung,
  together: Gated['together'],
): IncidentState['approval'] {
  const { role, decision } = together ?? {};
  if (decision == null || (role !== 'turn' && role !== 'denied' && role !== 'expired')) return undefined;
  const { approvalId, by, reason, at } = decision;
  return {
    id: approvalId,
    evidenceDigest: digestFor(state, rung),
    timeoutSeconds: 1,
    stage: 'asked',
    createdAt: at,
    remindAt: null,
    escalateAt: null,
    expiresAt: at,
    decision: role === 'turn' ? 'approved' : role,
    ...(by === '' ? {} : { by }),
    ...(reason === undefined ? {} : { reason }),
  };
}

function approvalFor(
  state: IncidentState,
  rung: Rung,
  cluster: Cluster,
  now: Date,
): NonNullable<IncidentState['approval']> {
  const risk = rung.risk === 'none' ? 'low' : rung.risk;
  const times = timesOf(cluster.approval, risk, now);
  return {
    // The plan is made anew after each void approval and each wait, so that the same place in it may be another rung.
    id: `${state.incident.id}-r${state.ladder.index}-v${state.voids + (state.waiting?.looks ?? 0)}`,
    evidenceDigest: digestFor(state, rung),
    ...times,
    stage: 'asked',
    timeoutSeconds: stageAt(times, now)?.seconds ?? 1,
    decision: 'pending',
  };
}
