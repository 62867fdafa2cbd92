import * as z from 'zod';
import { Alarm } from './alarm.ts';
import { ApprovalStatus } from './approval/approval.ts';
import { Stage } from './approval/stages.ts';
import { Finding } from './causes/cause.ts';
import { Diagnosis, Possible } from './diagnosis.ts';
import { AroundProbes } from './evidence/around-probes.ts';
import { Evidence } from './evidence/evidence.ts';
import { Whereabouts } from './gates/fleet.ts';
import { GateDecision, GateResult } from './gates/gate.ts';
import { Waiting } from './gates/waiting.ts';
import { LookAgain } from './look-again.ts';
import { ReplacementState } from './replacement/course-state.ts';
import { Hold } from './replacement/hold.ts';
import { Mode } from './settings.ts';
import { Arguments, LeftOut, Rung } from './treatments/treatment.ts';
import { Undone } from './treatments/undo-result.ts';
import { Sample, Verdict } from './verification.ts';

export { Alarm };

/** How every incident can end. */
export const Outcome = z.enum([
  'cured',
  'relieved',
  'unresolved',
  'observed',
  'refused',
  'denied',
  'expired',
  'void',
  'failed',
]);
export type Outcome = z.infer<typeof Outcome>;

/**
 * One run of an SSM document on the node. running: look again after `waitSeconds`. refused: it was not sent.
 * not-needed: there was nothing to send. All others: it is over.
 */
const OneCommand = z.object({
  status: z.enum(['running', 'succeeded', 'failed', 'timed-out', 'no-answer', 'refused', 'not-needed']),
  document: z.string().optional(),
  commandId: z.string().optional(),
  arguments: Arguments.optional(),
  documentDigest: z.string().optional(),
  sentAt: z.iso.datetime().optional(),
  /** When we stop asking: the delivery time plus the longest that the document may run. */
  deadline: z.iso.datetime().optional(),
  waitSeconds: z.int().nonnegative(),
  responseCode: z.int().optional(),
  output: z.string().optional(),
  reason: z.string().optional(),
  /** Of an undo that is no document: what became of it. */
  undone: Undone.optional(),
});

/** A command, and one that was sent with it and is waited for as well. */
export const Command = OneCommand.extend({ companion: OneCommand.optional() });
export type OneCommand = z.infer<typeof OneCommand>;
export type Command = z.infer<typeof Command>;

/** What a treatment did, from the JSON that its document printed. */
export const TreatmentResult = z.object({
  changed: z.boolean(),
  before: z.record(z.string(), z.unknown()),
  after: z.record(z.string(), z.unknown()),
  undo: z.object({ document: z.string(), arguments: Arguments }).optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});
export type TreatmentResult = z.infer<typeof TreatmentResult>;

/** What became of one rung, for the record and the report. */
export const RungResult = z.object({
  treatment: z.string(),
  arguments: Arguments,
  risk: z.string(),
  gate: GateResult.optional(),
  approval: z
    .object({
      id: z.string(),
      status: ApprovalStatus,
      by: z.string().optional(),
      reason: z.string().optional(),
    })
    .optional(),
  status: z.enum(['done', 'skipped', 'refused', 'failed', 'not-started']),
  reason: z.string().optional(),
  result: TreatmentResult.optional(),
  verification: z
    .object({
      cured: z.boolean(),
      verdict: Verdict,
      provisional: z.boolean().optional(),
      unseen: z.boolean().optional(),
      /** The node itself got worse: short of memory, or not Ready. */
      harmed: z.boolean().optional(),
      findings: z.array(Finding),
      /** Causes that a look on the way found and the first diagnosis did not have. */
      alsoFound: z.array(Possible).optional(),
      samples: z.array(Sample),
    })
    .optional(),
  undo: Undone.optional(),
});
export type RungResult = z.infer<typeof RungResult>;

/** What travels between the states of one incident. Small enough for Step Functions (256 KiB) with room to spare. */
export const IncidentState = z.object({
  version: z.literal(1),
  /** Counts the functions that have returned; names the audit entries of each, so that a retry writes none twice. */
  step: z.int().nonnegative(),
  incident: z.object({
    id: z.string(),
    execution: z.string(),
    openedAt: z.iso.datetime(),
    alarm: Alarm,
    cluster: z.string(),
    instanceId: z.string(),
    /** The machine image of the node, where EC2 said which. */
    imageId: z.string().nullable().optional(),
    /** The group of the node by its tags, where they name one. */
    nodeGroup: z.string().max(300).optional(),
  }),
  lease: z.object({
    status: z.enum(['ours', 'refused']),
    fencing: z.int().nonnegative().nullable(),
    reason: z.string(),
  }),
  command: Command.optional(),
  /** What is known around the node, until it is made part of the evidence. */
  around: AroundProbes.optional(),
  /** What Step Functions caught while that was asked. It is a gap, and never ends the incident. */
  aroundError: z.object({ Error: z.string().optional(), Cause: z.string().optional() }).loose().optional(),
  evidence: Evidence.optional(),
  diagnosis: Diagnosis.optional(),
  /** Where the replacement of the node is, from its first act on. */
  replacement: ReplacementState.optional(),
  /** The node that takes no new pods while the present rung is at work on it. */
  hold: Hold.optional(),
  /** The look before the treatment, with which verification compares. */
  before: Sample.optional(),
  plan: z.array(Rung),
  /** Treatments of the cause that are not in the plan, and why. */
  leftOut: z.array(LeftOut).optional(),
  ladder: z.object({ index: z.int().nonnegative(), status: z.enum(['rung', 'empty', 'exhausted']) }),
  rung: Rung.optional(),
  mode: Mode.optional(),
  gate: z
    .object({
      decision: GateDecision,
      gate: z.string(),
      reason: z.string(),
      waitSeconds: z.int().nonnegative(),
      /** Who agreed to it beforehand, for the whole group of the node. */
      agreed: z
        .object({ id: z.string(), by: z.string(), approval: z.string(), until: z.iso.datetime() })
        .optional(),
    })
    .optional(),
  /** Group and zone of the node, and how many nodes there are with it, as the budget counts them. */
  whereabouts: Whereabouts.optional(),
  /** Seconds that this incident was told to wait in all, by the gate that said so. */
  waited: z.record(z.string(), z.int().nonnegative()).optional(),
  /** How it has waited at its gates, all of them together. */
  waiting: Waiting.optional(),
  /** The cohort that the present rung belongs to, where it is decided or treated together with other nodes. */
  cohort: z
    .object({
      key: z.string(),
      /** Gates that asked a person when it joined; none where policy does it. */
      asks: z.array(z.string()).max(20),
      /** It waits for its cohort, and no other gate is asked meanwhile. */
      waits: z.boolean(),
      /** Others are in it: what is told of one of them is told of all. */
      many: z.boolean(),
    })
    .optional(),
  approval: z
    .object({
      id: z.string(),
      evidenceDigest: z.string(),
      /** Of the present stage of the wait. */
      timeoutSeconds: z.int().positive(),
      stage: Stage.default('asked'),
      /** The last stage that people were told of. */
      told: Stage.optional(),
      createdAt: z.iso.datetime().optional(),
      remindAt: z.iso.datetime().nullable().default(null),
      escalateAt: z.iso.datetime().nullable().default(null),
      expiresAt: z.iso.datetime(),
      decision: ApprovalStatus,
      by: z.string().optional(),
      reason: z.string().optional(),
      interruption: z.unknown().optional(),
    })
    .optional(),
  recheck: z
    .object({
      decision: z.enum(['pass', 'void', 'refuse', 'wait']),
      reason: z.string(),
      /** With `wait`: a gate lets nothing go ahead yet. The node is looked at again afterwards. */
      waitSeconds: z.int().nonnegative().optional(),
    })
    .optional(),
  /** How often an approval was void because the node had moved on. */
  voids: z.int().nonnegative(),
  /** Why the approval before was void; it goes onto the next card of this rung. */
  voided: z.string().optional(),
  treatment: z
    .object({
      status: z.enum(['done', 'refused', 'failed']),
      reason: z.string(),
      result: TreatmentResult.optional(),
    })
    .optional(),
  verification: z
    .object({
      verdict: Verdict,
      waitSeconds: z.int().nonnegative(),
      planned: z.int().positive(),
      /** When the treatment had ended. */
      startedAt: z.iso.datetime().optional(),
      samples: z.array(Sample),
      alsoFound: z.array(Possible).default([]),
      provisional: z.boolean(),
      /** Cured, and there is something to ask about the group of the node. */
      asksOn: z.boolean().optional(),
      /** Not cured for want of looks: whether it helped is not known. */
      unseen: z.boolean().optional(),
      /** The node itself got worse: short of memory, or not Ready. */
      harmed: z.boolean().optional(),
      findings: z.array(Finding),
    })
    .optional(),
  undo: Undone.optional(),
  results: z.array(RungResult),
  outcome: Outcome.optional(),
  outcomeReason: z.string().optional(),
  closedAt: z.iso.datetime().optional(),
  /** The node is cured already, and what follows is about its group. */
  cure: z.object({ reason: z.string(), lookAgain: LookAgain.optional() }).optional(),
  /** Where the cure is provisional: when, and at what, the census looks again. */
  lookAgain: LookAgain.optional(),
  /** What Step Functions caught. Its presence means that the incident ends as `failed`. */
  error: z.object({ Error: z.string().optional(), Cause: z.string().optional() }).loose().optional(),
});
export type IncidentState = z.infer<typeof IncidentState>;
