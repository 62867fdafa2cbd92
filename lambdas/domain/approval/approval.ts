import * as z from 'zod';
import { digestOf } from '../canonical-json.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { Rung } from '../treatments/treatment.ts';
import { mayBeSamePerson } from './same-person.ts';

export const Decision = z.object({
  person: z.string().min(1).max(256),
  door: z.enum(['local', 'console', 'slack']),
  decision: z.enum(['approve', 'deny']),
  reason: z.string().max(1000).optional(),
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
  quorum: z.literal(1),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  status: ApprovalStatus,
  decisions: z.array(Decision),
});
export type Approval = z.infer<typeof Approval>;

export type DecideRequest = Omit<Decision, 'at'>;
export type DecideResult = { ok: true; approval: Approval } | { ok: false; reason: string };

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
  if (approval.status !== 'pending') return refuse(`this approval is already ${approval.status}`);
  if (now >= new Date(approval.expiresAt)) return refuse(`this approval expired at ${approval.expiresAt}`);
  if (request.decision === 'deny' && (request.reason ?? '').trim() === '') {
    return refuse('a denial needs a reason: say why, for whoever reads the audit');
  }
  const own = approval.requestedBy !== null && mayBeSamePerson(approval.requestedBy, request.person);
  if (own && request.decision === 'approve' && !onePersonTeam) {
    return refuse(
      `${request.person} started this incident by hand and cannot approve it; ask somebody else, or set approval.onePersonTeam for this cluster`,
    );
  }
  const status = request.decision === 'approve' ? 'approved' : 'denied';
  const decision = { ...request, at: now.toISOString() };
  return { ok: true, approval: { ...approval, status, decisions: [...approval.decisions, decision] } };
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
  const { instanceId, bootId, diagnosis, rung, documentDigest } = bound;
  return digestOf({
    instanceId,
    bootId: bootId ?? null,
    cause: diagnosis.cause,
    variant: diagnosis.variant ?? null,
    treatment: rung.treatment,
    arguments: rung.arguments,
    document: rung.document ?? null,
    documentDigest: documentDigest ?? null,
  });
}
