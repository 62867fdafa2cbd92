import type { Diagnosis } from './diagnosis.ts';
import type { Evidence } from './evidence/evidence.ts';
import type { Cluster, Need, Risk } from './settings.ts';
import { forbids } from './treatments/forbidden.ts';
import { treatments } from './treatments/index.ts';
import { Expects, type Proposal, type Rung, type Treatment } from './treatments/treatment.ts';
import type { TreatmentId } from './treatments/treatment-id.ts';
import { secondsToSee } from './verification/signals.ts';

/**
 * The ladder for a diagnosis, gentlest rung first. A treatment that the findings or the settings leave nothing to do
 * is not on it, nor one that is forbidden for the cause; one that the policy forbids stays on it as `never`, so that people see what would have been next.
 */
export function planFor(diagnosis: Diagnosis, evidence: Evidence | undefined, cluster: Cluster): Rung[] {
  return treatments
    .filter((treatment) => treatment.treats.includes(diagnosis.cause))
    .flatMap((treatment) => {
      const proposal = treatment.propose(evidence, cluster);
      if (proposal === undefined) return [];
      // Fail closed: what the table forbids is not proposed, whatever the treatment says of itself.
      if (forbids(diagnosis.cause, treatment.id, proposal.arguments, evidence) !== undefined) return [];
      return [rungOf(treatment, proposal, cluster)];
    });
}

function rungOf(treatment: Treatment, proposal: Proposal, cluster: Cluster): Rung {
  const risk = proposal.risk ?? treatment.risk;
  return {
    treatment: treatment.id,
    kind: treatment.kind,
    ...(treatment.document === undefined ? {} : { document: treatment.document }),
    ...(treatment.undoDocument === undefined ? {} : { undoDocument: treatment.undoDocument }),
    standing: treatment.standing ?? false,
    onceStopped: treatment.onceStopped ?? false,
    namesItsApproval: treatment.namesItsApproval ?? false,
    arguments: proposal.arguments,
    risk,
    needs: needFor(treatment.id, risk, cluster),
    reason: proposal.reason,
    expects: Expects.parse({
      windowSeconds: secondsToSee(proposal.expects.signal ?? 'dying', cluster.thresholds),
      ...proposal.expects,
    }),
  };
}

const words = { auto: 'auto', approve: 'approval', never: 'never' } as const satisfies Record<
  Need,
  Rung['needs']
>;

function needFor(id: TreatmentId, risk: Risk, cluster: Cluster): Rung['needs'] {
  if (risk === 'none') return 'auto';
  const override = id === 'notify' ? undefined : cluster.policy.treatments[id];
  return words[override ?? cluster.policy.risk[risk]];
}
