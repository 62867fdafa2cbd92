import { generateKeyPairSync, sign } from 'node:crypto';
import { type AuditDraft, type AuditEntry, nextEntry } from '../../../lambdas/domain/audit/entry.ts';
import { headMessage, type SignedHead } from '../../../lambdas/domain/audit/signed-head.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
/** The key that signs the heads of the samples. */
export const samplePem = String(publicKey.export({ type: 'spki', format: 'pem' }));
/** Another one. */
export const foreignPem = String(
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }),
);

/** Several incidents as the log group gets them, one JSON text a line; each list is one incident. */
export type Sample = { incident: string; cluster: string; texts: string[] }[];

const drafts: AuditDraft[] = [
  {
    step: 'incident.opened',
    actor: { kind: 'person', id: 'ann@example.com' },
    what: 'an alarm',
    details: { n: 1 },
  },
  {
    step: 'diagnosed',
    actor: { kind: 'rule', id: 'diagnose' },
    what: 'é 😀 "quoted"',
    outcome: 'dying-memcgs',
  },
  {
    step: 'approval.requested',
    actor: { kind: 'rule', id: 'gate:mode' },
    what: 'asked',
    treatment: 'reclaim',
  },
  {
    step: 'approval.decided',
    actor: { kind: 'person', id: 'bob@example.com' },
    what: 'ok',
    outcome: 'approve',
  },
  {
    step: 'treatment.intended',
    actor: { kind: 'person', id: 'bob@example.com' },
    what: 'reclaim',
    before: { dying: 4000 },
  },
  { step: 'incident.closed', actor: { kind: 'rule', id: 'close' }, what: 'cured', outcome: 'cured' },
];

/**
 * Incidents of clusters, opened in the order given and closed by a signature.
 *
 * @param clusters the cluster of each incident
 */
export function sampleIncidents(clusters: readonly string[], length = drafts.length): Sample {
  const tails = new Map<string, AuditEntry>();
  return clusters.map((cluster, index) => {
    const incident = `inc-${index}`;
    const tail = tails.get(cluster);
    const entries: AuditEntry[] = [];
    for (const [seq, draft] of drafts.slice(0, length).entries()) {
      const context = {
        incident,
        cluster,
        instanceId: `i-${index}`,
        imageId: `ami-${index % 2}`,
        at: new Date(Date.UTC(2026, 10, 21, 6, index, seq * 7)).toISOString(),
        key: `k${seq}`,
        fencing: 1,
        software: '0.1.0',
      };
      const opening = {
        number: (tail?.opening?.number ?? 0) + 1,
        previous: tail === undefined ? null : { incident: tail.incident, hash: tail.hash },
      };
      entries.push(nextEntry(entries.at(-1), draft, context, seq === 0 ? opening : undefined));
    }
    const [first] = entries;
    if (first !== undefined) tails.set(cluster, first);
    return { incident, cluster, texts: [...entries, headOf(entries)].map((line) => JSON.stringify(line)) };
  });
}

/** The head that closes a trail. */
export function headOf(entries: readonly AuditEntry[]): SignedHead {
  const { incident, seq, hash } = entries.at(-1) as AuditEntry;
  const head = { version: 2, incident, seq, hash, keyId: 'key-1' } as const;
  const signature = sign('sha256', headMessage(head), privateKey).toString('base64');
  return { ...head, kind: 'signed-head', algorithm: 'ECDSA_SHA_256', signature };
}

/** The entries of one incident, chained as they are written. */
export function trailOf(...drafts: Partial<AuditDraft>[]): AuditEntry[] {
  const entries: AuditEntry[] = [];
  for (const [index, draft] of drafts.entries()) {
    const context = {
      incident: 'inc',
      cluster: 'prod',
      instanceId: 'i-0123456789abcdef0',
      at: '2026-11-21T06:00:00.000Z',
      key: String(index),
      fencing: 1,
      software: '0.1.0',
    };
    const full: AuditDraft = { step: 'gated', actor: { kind: 'rule', id: 'x' }, what: 'x', ...draft };
    entries.push(nextEntry(entries.at(-1), full, context));
  }
  return entries;
}
