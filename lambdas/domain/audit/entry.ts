import * as z from 'zod';
import { digestOf } from '../canonical-json.ts';
import { printable } from '../printable.ts';
import { phaseOfStep } from './phase-of-step.ts';
import { cleaned, withoutSecrets } from './without-secrets.ts';

/** Longest text of an entry; what comes from a node or a service is cut to it. */
const longestText = 2000;
const longestId = 256;

/** Who or what decided a step: an alarm, a rule of this software, a person, or the machinery that cleans up. */
export const Actor = z.object({
  kind: z.enum(['alarm', 'rule', 'person', 'janitor']),
  id: z.string().max(longestId),
});
export type Actor = z.infer<typeof Actor>;

export const AuditStep = z.enum([
  'incident.opened',
  'lease.taken',
  'lease.refused',
  'node.refused',
  'examination.sent',
  'examination.around',
  'diagnosed',
  'planned',
  'gated',
  'breaker.changed',
  'approval.requested',
  'approval.reminded',
  'approval.escalated',
  'approval.decided',
  'approval.settled',
  'rechecked',
  'treatment.intended',
  'treatment.sent',
  'treatment.finished',
  'cordon.intended',
  'cordon.finished',
  'replacement.intended',
  'replacement.acted',
  'notified',
  'sampled',
  'verified',
  'undo.intended',
  'undo.sent',
  'undo.finished',
  'rung.next',
  'incident.closed',
  'janitor.started',
  'janitor.finished',
  'cordon.swept',
]);
export type AuditStep = z.infer<typeof AuditStep>;

/** What happened, as the code that did it says it. */
export const AuditDraft = z.object({
  step: AuditStep,
  actor: Actor,
  /** One sentence for a reader. */
  what: z.string().max(longestText),
  /** Index of the rung it belongs to. */
  rung: z.int().nonnegative().optional(),
  treatment: z.string().optional(),
  arguments: z.record(z.string(), z.string()).optional(),
  document: z.string().optional(),
  documentDigest: z.string().optional(),
  evidenceDigest: z.string().optional(),
  before: z.record(z.string(), z.unknown()).optional(),
  after: z.record(z.string(), z.unknown()).optional(),
  outcome: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});
export type AuditDraft = z.infer<typeof AuditDraft>;

/** The place of an incident among all that were opened in its cluster: an incident that is missing leaves a hole here. */
export const Opening = z.object({
  /** 1 for the first incident of a cluster, then without gaps. */
  number: z.int().positive(),
  /** The incident opened before it, and the hash of that one's first entry; `null` for the first. */
  previous: z.object({ incident: z.string(), hash: z.string() }).nullable(),
});
export type Opening = z.infer<typeof Opening>;

/**
 * One line of the audit trail. `hash` covers everything else, `previousHash` ties it to the line before. What is optional here
 * is younger than the schema: entries without it stay as good as they were.
 */
export const AuditEntry = AuditDraft.extend({
  version: z.literal(1),
  incident: z.string(),
  cluster: z.string(),
  instanceId: z.string(),
  /** 0 for the first entry of an incident, then without gaps. */
  seq: z.int().nonnegative(),
  at: z.iso.datetime(),
  /** Names the attempt that wrote it, so that a retried function does not write the same step twice. */
  key: z.string(),
  fencing: z.int().nonnegative().nullable(),
  software: z.string(),
  /** The machine image of the node; `null` where EC2 did not say. */
  imageId: z.string().max(longestId).nullable().optional(),
  /** Milliseconds since the entry before: how long the step took, with the wait before it. */
  durationMs: z.int().nonnegative().optional(),
  /** The phase that took this time. */
  phase: z.string().optional(),
  /** Only in the first entry of an incident. */
  opening: Opening.optional(),
  previousHash: z.string().nullable(),
  hash: z.string(),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

/** What an entry takes from its incident and its moment. */
export type AuditContext = Pick<
  AuditEntry,
  'incident' | 'cluster' | 'instanceId' | 'at' | 'key' | 'fencing' | 'software' | 'imageId'
>;

/**
 * The entry that follows `previous` (`undefined` for the first of an incident).
 *
 * @param opening the place of the incident in its cluster, for the first entry
 */
export function nextEntry(
  previous: AuditEntry | undefined,
  draft: AuditDraft,
  context: AuditContext,
  opening?: Opening,
): AuditEntry {
  // Entries are written by several functions, and the clocks of two need not agree.
  const durationMs =
    previous === undefined ? 0 : Math.max(0, Date.parse(context.at) - Date.parse(previous.at));
  const body = {
    version: 1 as const,
    ...context,
    ...draft,
    ...withoutSecretsIn(draft),
    what: withoutSecrets(printable(draft.what)).slice(0, longestText),
    actor: { ...draft.actor, id: printable(draft.actor.id).slice(0, longestId) },
    seq: previous === undefined ? 0 : previous.seq + 1,
    durationMs,
    phase: phaseOfStep(draft.step),
    ...(opening === undefined ? {} : { opening }),
    previousHash: previous?.hash ?? null,
  };
  return { ...body, hash: digestOf(body) };
}

/** What nodes, alarms and services said is free text, and may hold anything. Arguments and an undo are ours, and stay exact. */
function withoutSecretsIn({ details, before, after }: AuditDraft): Partial<AuditDraft> {
  const undo = details?.undo;
  return {
    ...(details === undefined
      ? {}
      : { details: { ...cleaned(details), ...(undo === undefined ? {} : { undo }) } }),
    ...(before === undefined ? {} : { before: cleaned(before) }),
    ...(after === undefined ? {} : { after: cleaned(after) }),
  };
}

/** The hash that an entry with this content must carry. */
export function hashOf(entry: AuditEntry): string {
  const { hash: _, ...body } = entry;
  return digestOf(body);
}
