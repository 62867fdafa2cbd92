import type { Diagnosis } from './diagnosis.ts';
import type { Evidence } from './evidence/evidence.ts';
import type { Cluster, Need, Risk } from './settings.ts';
import { forbids } from './treatments/forbidden.ts';
import { treatments } from './treatments/index.ts';
import {
  Expects,
  type GroupKnown,
  type LeftOut,
  type Proposal,
  type Rung,
  type Treatment,
} from './treatments/treatment.ts';
import type { TreatmentId } from './treatments/treatment-id.ts';
import { secondsToSee } from './verification/signals.ts';

export type Plan = { plan: Rung[]; leftOut: LeftOut[] };

/**
 * The ladder for a diagnosis, gentlest rung first. A treatment that the findings or the settings leave nothing to do
 * is not on it, but in `leftOut`, with the reason; one that the policy forbids stays on it as `never`, so that people see
 * what would have been next.
 */
export function planFor(
  diagnosis: Diagnosis,
  evidence: Evidence | undefined,
  cluster: Cluster,
  group?: GroupKnown,
): Plan {
  const plan: Rung[] = [];
  const reasons = new Map<TreatmentId, string>();
  for (const treatment of treatments) {
    if (!treatment.treats.includes(diagnosis.cause)) continue;
    const proposal = treatment.propose(evidence, cluster, diagnosis, group);
    const why =
      'nothing' in proposal ? proposal.nothing : whyNot(treatment, proposal, diagnosis, evidence, cluster);
    // Why nothing is offered to a whole group says nothing of this node.
    if (treatment.kind === 'standing' && why !== undefined) continue;
    if ('nothing' in proposal || why !== undefined)
      reasons.set(treatment.id, reasons.get(treatment.id) ?? why ?? '');
    else plan.push(rungOf(treatment, proposal, cluster));
  }
  const leftOut = [...reasons].map(([treatment, reason]) => ({ treatment, reason }));
  return {
    plan,
    leftOut: leftOut.filter(({ treatment }) => !plan.some((rung) => rung.treatment === treatment)),
  };
}

/** Fail closed: what cannot reach the node, or what the settings or the table forbid, is not proposed, whatever the treatment says of itself. */
function whyNot(
  treatment: Treatment,
  proposal: Proposal,
  { cause }: Diagnosis,
  evidence: Evidence | undefined,
  { agents: { neverTouch } }: Cluster,
): string | undefined {
  if (treatment.kind === 'document' && evidence?.unreachable !== undefined) {
    return `nothing can be run on a node that does not answer (${evidence.unreachable})`;
  }
  const { unit } = proposal.arguments;
  if (unit !== undefined && neverTouch.some((name) => bare(name) === bare(unit))) {
    return `settings agents.neverTouch names ${unit}`;
  }
  return forbids(cause, treatment.id, proposal.arguments, evidence);
}

function bare(unit: string): string {
  return unit.replace(/\.service$/, '');
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
    onlyWhenCalm: treatment.onlyWhenCalm ?? false,
    disrupts: proposal.disrupts ?? treatment.disrupts,
    ...(proposal.cordons ? { cordons: proposal.cordons } : {}),
    arguments: proposal.arguments,
    risk,
    needs: needFor(treatment, risk, cluster),
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

function needFor({ id, kind }: Treatment, risk: Risk, cluster: Cluster): Rung['needs'] {
  if (risk === 'none') return 'auto';
  const override = id === 'notify' ? undefined : cluster.policy.treatments[id];
  const need = override ?? cluster.policy.risk[risk];
  // It takes the place of the approvals of days to come, so there has to be one.
  return kind === 'standing' && need === 'auto' ? 'approval' : words[need];
}
