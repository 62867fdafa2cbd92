import * as z from 'zod';
import { digestOf } from '../canonical-json.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { Rung } from '../treatments/treatment.ts';
import { Door, isAmong, mayBe, type Person } from './person.ts';

export const Decision = z.object({
  /** `id` of the person. */
  person: z.string().min(1).max(256),
  door: Door,
  decision: z.enum(['approve', 'deny']),
  reason: z.string().max(1000).optional(),
  /** They had asked for it themselves, and the cluster's settings let them: a team of one. */
  onePersonTeam: z.literal(true).optional(),
  at: z.iso.datetime(),
});
export type Decision = z.infer<typeof Decision>;

export const ApprovalStatus = z.enum(['pending', 'approved', 'denied', 'expired', 'void']);
export type ApprovalStatus = z.infer<typeof ApprovalStatus>;

/**
 * A person's decision on one rung of one incident. The record is the truth; the task token, kept beside it and never
 * in it, only wakes the execution.
 */
export const Approval = z.object({
  version: z.literal(1),
  id: z.string(),
  incident: z.string(),
  cluster: z.string(),
  instanceId: z.string(),
  cohort: z.string().nullable(),
  rung: Rung,
  evidenceDigest: z.string(),
  requestedBy: z.string().nullable(),
  /** How many different people have to approve. */
  quorum: z.int().min(1).max(3),
  /** Names and `@groups` of those who may decide; empty: everybody whom a door lets in. */
  approvers: z.array(z.string()).default([]),
  createdAt: z.iso.datetime(),
  /** When people are reminded, and when the second group is told; `null`: never. */
  remindAt: z.iso.datetime().nullable().default(null),
  escalateAt: z.iso.datetime().nullable().default(null),
  /** The second group. From `escalateAt` on its members may decide as well. */
  escalateTo: z.string().nullable().default(null),
  expiresAt: z.iso.datetime(),
  status: ApprovalStatus,
  decisions: z.array(Decision),
});
export type Approval = z.infer<typeof Approval>;

export type DecideRequest = Pick<Decision, 'door' | 'decision' | 'reason'> & { person: Person };
/** `settled`: nothing more is asked of anybody. An approval that lacks others of its quorum is not. */
export type DecideResult = { ok: true; approval: Approval; settled: boolean } | { ok: false; reason: string };

/**
 * What one decision makes of an approval. Refuses, with the reason, whatever may not decide: the order of the checks
 * is the order in which a reader would ask.
 *
 * @param onePersonTeam the cluster's setting that lets people approve what they asked for by hand
 */
export function decide(
  approval: Approval,
  request: DecideRequest,
  now: Date,
  onePersonTeam: boolean,
): DecideResult {
  const refuse = (reason: string): DecideResult => ({ ok: false, reason });
  const { person, door, decision } = request;
  const reason = request.reason?.trim() ?? '';
  if (approval.status !== 'pending') return refuse(`this approval is already ${approval.status}`);
  if (now >= new Date(approval.expiresAt)) return refuse(`this approval expired at ${approval.expiresAt}`);
  if (!mayDecide(approval, person, now)) {
    return refuse(
      `${person.id} may not decide on ${approval.rung.risk} risk in ${approval.cluster}: its settings name ${approval.approvers.join(', ')}`,
    );
  }
  if (decision === 'deny' && reason === '') {
    return refuse('a denial needs a reason: say why, for whoever reads the audit');
  }
  const own = approval.requestedBy !== null && mayBe(approval.requestedBy, person);
  if (own && decision === 'approve' && !onePersonTeam) {
    return refuse(
      `${person.id} started this incident by hand, or cannot be told from ${approval.requestedBy}, who did, and so cannot approve it; ask somebody else, or set approval.onePersonTeam for this cluster`,
    );
  }
  if (decision === 'approve' && approval.decisions.some((before) => mayBe(before.person, person))) {
    return refuse(
      `${person.id} has approved already; ${approval.quorum} different people have to, so somebody else is needed`,
    );
  }
  if (decision === 'approve' && approval.quorum > 1 && !person.known) {
    return refuse(
      `${person.id} is not one of people in the settings, so nobody can say that it is not the same person as another; ${approval.quorum} different people have to approve`,
    );
  }
  const taken: Decision = {
    person: person.id,
    door,
    decision,
    ...(reason === '' ? {} : { reason }),
    ...(own && decision === 'approve' ? { onePersonTeam: true as const } : {}),
    at: now.toISOString(),
  };
  const decisions = [...approval.decisions, taken];
  const enough = decisions.length >= approval.quorum;
  const status = decision === 'deny' ? 'denied' : enough ? 'approved' : 'pending';
  return { ok: true, settled: status !== 'pending', approval: { ...approval, status, decisions } };
}

function mayDecide({ approvers, escalateAt, escalateTo }: Approval, person: Person, now: Date): boolean {
  if (isAmong(approvers, person)) return true;
  return (
    escalateTo !== null &&
    escalateAt !== null &&
    now >= new Date(escalateAt) &&
    isAmong([`@${escalateTo}`], person)
  );
}

/**
 * What an approval is bound to: if any of it has changed when the approval arrives, the approval is void. Numbers are
 * not part of it (they move all the time); the state and the exact act are.
 */
export function evidenceDigest(bound: {
  instanceId: string;
  bootId: string | undefined;
  diagnosis: Pick<Diagnosis, 'cause' | 'variant'>;
  rung: Pick<Rung, 'treatment' | 'arguments' | 'document'>;
  documentDigest: string | undefined;
}): string {
  const { instanceId, bootId, ...act } = bound;
  return digestOf({ instanceId, bootId: bootId ?? null, ...boundAct(act) });
}

/** Cause and exact act: what an approval is about, whichever node it is about. */
export function boundAct({
  diagnosis,
  rung,
  documentDigest,
}: {
  diagnosis: Pick<Diagnosis, 'cause' | 'variant'>;
  rung: Pick<Rung, 'treatment' | 'arguments' | 'document'>;
  documentDigest: string | undefined;
}) {
  return {
    cause: diagnosis.cause,
    variant: diagnosis.variant ?? null,
    treatment: rung.treatment,
    arguments: rung.arguments,
    document: rung.document ?? null,
    documentDigest: documentDigest ?? null,
  };
}
