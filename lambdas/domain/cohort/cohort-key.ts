import { boundAct } from '../approval/approval.ts';
import { digestOf } from '../canonical-json.ts';
import type { Diagnosis } from '../diagnosis.ts';
import type { Rung } from '../treatments/treatment.ts';

/** Characters of a digest that name a cohort of one cluster: collisions are out of the question. */
const length = 40;

export type SameAct = {
  diagnosis: Pick<Diagnosis, 'cause' | 'variant'>;
  rung: Pick<Rung, 'treatment' | 'arguments' | 'document' | 'risk' | 'disrupts' | 'onceStopped'>;
  documentDigest: string | undefined;
  /** Gates that ask a person about this node. What one decision is about must be asked for the same reason. */
  asks: readonly string[];
  /** Who has started the incident by hand, if anybody: they may not approve it, so it stands beside no others. */
  requestedBy: string | undefined;
};

/** What incidents have in common that are decided together: an approval is bound to the same, without instance and boot. */
export function cohortKey({ diagnosis, rung, documentDigest, asks, requestedBy }: SameAct): string {
  return digestOf({
    ...boundAct({ diagnosis, rung, documentDigest }),
    risk: rung.risk,
    disrupts: rung.disrupts,
    // The same act at a later place of the ladder is another question: what people said holds for each node once.
    onceStopped: rung.onceStopped,
    asks: [...asks].sort(),
    requestedBy: requestedBy ?? null,
  }).slice(0, length);
}
