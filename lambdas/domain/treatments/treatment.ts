import * as z from 'zod';
import type { CauseId } from '../causes/cause.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { type Cluster, Risk } from '../settings.ts';

export const TreatmentId = z.enum(['notify', 'reclaim']);
export type TreatmentId = z.infer<typeof TreatmentId>;

/** Parameters of an SSM document, or of whatever carries the treatment out. Text, as the document takes them. */
export const Arguments = z.record(z.string(), z.string());
export type Arguments = z.infer<typeof Arguments>;

/** What verification will check. `signal` names a count in the evidence; it must end at or below `atMost`. */
export const Expects = z.object({
  text: z.string(),
  signal: z.literal('dying').optional(),
  atMost: z.number().optional(),
});
export type Expects = z.infer<typeof Expects>;

/** One step of a plan: a treatment with its exact arguments, and who has to agree to it. */
export const Rung = z.object({
  treatment: TreatmentId,
  /** `document`: an SSM document runs on the node. `notify`: people are told. */
  kind: z.enum(['document', 'notify']),
  /** The document that carries it out and the one that takes it back, for kind `document`. */
  document: z.string().optional(),
  undoDocument: z.string().optional(),
  arguments: Arguments,
  risk: Risk,
  needs: z.enum(['auto', 'approval', 'never']),
  reason: z.string(),
  expects: Expects,
});
export type Rung = z.infer<typeof Rung>;

/** What a treatment proposes for a node, before policy has said who must agree. */
export type Proposal = {
  arguments: Arguments;
  reason: string;
  expects: Expects;
  /** Where this node makes it riskier than the treatment is by itself. */
  risk?: Risk;
};

/** A treatment: what it is, and what it would do to this node. Pure. */
export type Treatment = {
  id: TreatmentId;
  kind: Rung['kind'];
  document?: string;
  undoDocument?: string;
  risk: Risk;
  /** Causes on whose ladder it stands, in the order of the list of treatments (gentlest first). */
  treats: readonly CauseId[];
  /** `undefined` where the findings leave nothing for it to do, or the settings forbid all of it. */
  propose: (evidence: Evidence | undefined, cluster: Cluster) => Proposal | undefined;
};
