import * as z from 'zod';
import type { CauseId } from '../causes/cause.ts';
import type { Diagnosis } from '../diagnosis.ts';
import type { Evidence } from '../evidence/evidence.ts';
import type { Past } from '../history/past.ts';
import { type Cluster, Risk } from '../settings.ts';
import { TreatmentId } from './treatment-id.ts';

/** Parameters of an SSM document, or of whatever carries the treatment out. Text, as the document takes them. */
export const Arguments = z.record(z.string(), z.string());
export type Arguments = z.infer<typeof Arguments>;

/** Figures of the evidence that verification can follow; what each of them is, is in verification/signals.ts. */
export const Signal = z.enum([
  'dying',
  'live',
  'leakedScopes',
  'abandonedScopes',
  'kubeletRssKb',
  'exitedContainers',
  'throttledRatio',
  'availablePercent',
  'stalledPercent',
]);
export type Signal = z.infer<typeof Signal>;

/** What verification will check: a figure, where it must end, and how long it takes until that can be seen. */
export const Expects = z.object({
  text: z.string(),
  signal: Signal.default('dying'),
  /** Where the level must end, at most, or at least where more is better. Without either, what is healthy counts. */
  atMost: z.number().optional(),
  atLeast: z.number().optional(),
  /** falls: the treatment takes away what is there. holds: it stops what makes more, so that the level need not fall. */
  level: z.enum(['falls', 'holds']).default('falls'),
  /**
   * How long the signal has to be watched until the slowest growth that would still be a fault shows in it. A cure seen in
   * less time is provisional. The plan fills it in where the treatment does not know better.
   */
  windowSeconds: z.int().positive().optional(),
});
export type Expects = z.infer<typeof Expects>;

/** One step of a plan: a treatment with its exact arguments, and who has to agree to it. */
export const Rung = z.object({
  treatment: TreatmentId,
  /**
   * `document`: an SSM document runs on the node. `replace`: its owner makes a new one. `cordon`: it takes no new pods while the
   * incident lives. `evict`: some of its pods go. `standing`: the census repeats it from now on, on the group of the node. `notify`: people are told.
   */
  kind: z.enum(['document', 'replace', 'cordon', 'evict', 'standing', 'notify']),
  /** The document that carries it out and the one that takes it back, for kind `document`. */
  document: z.string().optional(),
  undoDocument: z.string().optional(),
  /** What it changes is meant to stay on the node once it has helped, until its undo document takes it back. */
  standing: z.boolean().default(false),
  /** Only where a rung before it has stopped what makes them: before that, it would be bailing out a leaking boat. */
  onceStopped: z.boolean().default(false),
  /** The document is told by the parameter `approval` who or what allowed it. */
  namesItsApproval: z.boolean().default(false),
  /** Not after a treatment that stopped because the node waits for memory or disks: it would make that worse. */
  onlyWhenCalm: z.boolean().default(false),
  /** It ends processes, restarts a service or slows everything on the node: it needs a place in the budget. In doubt it does. */
  disrupts: z.boolean().default(true),
  /** The node takes no new pods from before the document until it has settled after it. Only there where it is so. */
  cordons: z.literal(true).optional(),
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
  expects: z.input<typeof Expects>;
  /** Where this node makes it riskier than the treatment is by itself. */
  risk?: Risk;
  /** Where it disrupts on this node, and not by itself. */
  disrupts?: true;
  /** Where the node can be cordoned for it. */
  cordons?: true;
};

/** Why a treatment has nothing to do on a node: no answer without a reason. */
export type Nothing = { nothing: string };

export const noEvidence: Nothing = { nothing: 'there is no evidence from this node' };

/** A treatment of a cause that is not on the ladder of this node, and why. */
export const LeftOut = z.object({ treatment: TreatmentId, reason: z.string() });
export type LeftOut = z.infer<typeof LeftOut>;

/** What of a diagnosis a treatment goes by: one cause can ask for different things by its variant. */
export type Diagnosed = Pick<Diagnosis, 'cause' | 'variant' | 'findings'>;

/** What is known of the group of a node, for treatments that are about all of it. */
export type GroupKnown =
  | { nodeGroup: string; pasts: readonly Past[]; days: number; standing: string | undefined }
  /** Why nothing is known. */
  | { gap: string };

/** A treatment: what it is, and what it would do to this node. Pure. */
export type Treatment = {
  id: TreatmentId;
  kind: Rung['kind'];
  document?: string;
  undoDocument?: string;
  standing?: boolean;
  onceStopped?: boolean;
  namesItsApproval?: boolean;
  onlyWhenCalm?: boolean;
  risk: Risk;
  /** It ends processes, restarts a service, or slows everything that runs on the node. */
  disrupts: boolean;
  /** Causes on whose ladder it stands, in the order of the list of treatments (gentlest first). */
  treats: readonly CauseId[];
  /** `nothing` where the findings leave nothing for it to do, or the settings forbid all of it. */
  propose: (
    evidence: Evidence | undefined,
    cluster: Cluster,
    diagnosis: Diagnosed,
    group?: GroupKnown,
  ) => Proposal | Nothing;
};
