import { MedicError } from '../adapters/medic-error.ts';
import { evidenceDigest } from '../domain/approval/approval.ts';
import { probeValue } from '../domain/evidence/probe.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import type { Rung } from '../domain/treatments/treatment.ts';
import { referenceTo } from './documents.ts';

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
