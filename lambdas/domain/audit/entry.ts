import * as z from 'zod';
import { digestOf } from '../canonical-json.ts';
import { printable } from '../printable.ts';

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
  'approval.decided',
  'approval.settled',
  'rechecked',
  'treatment.intended',
  'treatment.sent',
  'treatment.finished',
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

/** One line of the audit trail. `hash` covers everything else, `previousHash` ties it to the line before. */
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
  previousHash: z.string().nullable(),
  hash: z.string(),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

/** What an entry takes from its incident and its moment. */
export type AuditContext = Pick<
  AuditEntry,
  'incident' | 'cluster' | 'instanceId' | 'at' | 'key' | 'fencing' | 'software'
>;

/** The entry that follows `previous` (`undefined` for the first of an incident). */
export function nextEntry(
  previous: AuditEntry | undefined,
  draft: AuditDraft,
  context: AuditContext,
): AuditEntry {
  const body = {
    version: 1 as const,
    ...context,
    ...draft,
    what: printable(draft.what).slice(0, longestText),
    actor: { ...draft.actor, id: printable(draft.actor.id).slice(0, longestId) },
    seq: previous === undefined ? 0 : previous.seq + 1,
    previousHash: previous?.hash ?? null,
  };
  return { ...body, hash: digestOf(body) };
}

/** The hash that an entry with this content must carry. */
export function hashOf(entry: AuditEntry): string {
  const { hash: _, ...body } = entry;
  return digestOf(body);
}
