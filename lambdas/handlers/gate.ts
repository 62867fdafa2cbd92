import { MedicError } from '../adapters/medic-error.ts';
import { evidenceDigest } from '../domain/approval/approval.ts';
import { stageAt, timesOf } from '../domain/approval/stages.ts';
import { probeValue } from '../domain/evidence/probe.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import type { Cluster } from '../domain/settings.ts';
import type { Rung } from '../domain/treatments/treatment.ts';
import { askGates } from './ask-gates.ts';
import { referenceTo } from './documents.ts';
import { phase } from './phase.ts';

/** Asks the gates about the present rung. Where a person has to approve, it says what exactly they approve. */
export const handler = phase(
  'gate',
  async (state, context) => {
    const { rung } = state;
    if (rung === undefined) throw new MedicError('there is no rung to ask the gates about');
    const { decision, gate, reason, all, waitSeconds, remembered } = await askGates(
      state,
      rung,
      context,
      false,
    );
    const gated: IncidentState = {
      ...state,
      ...remembered,
      gate: { decision, gate, reason, waitSeconds },
    };
    // One entry for each wait, however often it is asked on the way, and whoever holds the places meanwhile.
    const waitsOn = decision === 'wait' && state.gate?.decision === 'wait' && state.gate.gate === gate;
    if (waitsOn) return gated;
    await context.audit({
      step: 'gated',
      actor: { kind: 'rule', id: `gate:${gate}` },
      what: reason,
      outcome: decision,
      rung: state.ladder.index,
      treatment: rung.treatment,
      arguments: rung.arguments,
      details: { gates: all },
    });
    if (decision !== 'ask') return gated;
    return { ...gated, approval: approvalFor(state, rung, context.cluster, context.now()) };
  },
  // A lease that is lost is a refusal with a reason here, not an error.
  { needsLease: false },
);

function approvalFor(
  state: IncidentState,
  rung: Rung,
  cluster: Cluster,
  now: Date,
): NonNullable<IncidentState['approval']> {
  const risk = rung.risk === 'none' ? 'low' : rung.risk;
  const times = timesOf(cluster.approval, risk, now);
  return {
    id: `${state.incident.id}-r${state.ladder.index}-v${state.voids}`,
    evidenceDigest: digestFor(state, rung),
    ...times,
    stage: 'asked',
    timeoutSeconds: stageAt(times, now)?.seconds ?? 1,
    decision: 'pending',
  };
}

/** The digest that an approval of this rung, on what is known of the node now, is bound to. */
export function digestFor(
  state: Pick<IncidentState, 'incident' | 'evidence' | 'diagnosis'>,
  rung: Rung,
): string {
  if (state.diagnosis === undefined) throw new MedicError('there is no diagnosis to bind an approval to');
  return evidenceDigest({
    instanceId: state.incident.instanceId,
    bootId: (state.evidence && probeValue(state.evidence.probes.host)?.bootId) ?? undefined,
    diagnosis: state.diagnosis,
    rung,
    documentDigest: rung.document === undefined ? undefined : referenceTo(rung.document).contentDigest,
  });
}
