import type { AuditDraft } from '../../../lambdas/domain/audit/entry.ts';
import { nextEntry } from '../../../lambdas/domain/audit/entry.ts';
import type { Facts, Trail } from '../../../local/storm/facts.ts';
import type { FleetNode } from '../../../local/storm/fleet.ts';

export const start = Date.parse('2026-11-28T03:10:00Z');

/** One step of a trail, at these seconds after the start. */
export type Step = { at: number; step: AuditDraft['step'] } & Partial<Omit<AuditDraft, 'step'>>;

export function nodeOf(index: number, change: Partial<FleetNode> = {}): FleetNode {
  return {
    instanceId: `i-${String(index).padStart(17, '0')}`,
    bootId: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    nodeName: `node-${index}`,
    zone: 'a',
    nodeGroup: 'web',
    imageId: 'ami-1',
    fate: 'helped',
    pace: 0,
    ...change,
  };
}

/** The trail of one incident, with a hash chain, and without a signature. */
export function trailOf(index: number, steps: readonly Step[], instanceId = nodeOf(index).instanceId): Trail {
  const incident = `inc-${index}`;
  const entries: Trail['entries'] = [];
  for (const { at, ...draft } of steps) {
    const context = {
      incident,
      cluster: 'local',
      instanceId,
      imageId: null,
      fencing: 1,
      software: 'test',
      at: new Date(start + at * 1000).toISOString(),
      key: `${entries.length}`,
    };
    const actor = { kind: 'rule', id: 'test' } as const;
    entries.push(nextEntry(entries.at(-1), { actor, what: 'x', ...draft }, context));
  }
  return { incident, instanceId, entries, lines: entries.map((entry) => JSON.stringify(entry)) };
}

const plan = [
  { treatment: 'restart-kubelet', disrupts: true },
  { treatment: 'reclaim', disrupts: false },
];

/** The steps of an incident that is treated by its first rung from `from` to `to`. */
export function treated(from: number, to: number, rung = 0): Step[] {
  const about = { rung, treatment: plan[rung]?.treatment ?? '' };
  return [
    { at: from, step: 'incident.opened' },
    { at: from, step: 'lease.taken' },
    { at: from, step: 'diagnosed', outcome: 'kubelet-leak' },
    { at: from, step: 'planned', details: { plan } },
    { at: from, step: 'gated', outcome: 'pass', ...about, details: { gates: [] } },
    { at: from, step: 'treatment.intended', ...about },
    { at: to, step: 'verified', outcome: 'cured', ...about },
    { at: to + 1, step: 'incident.closed', outcome: 'cured' },
  ];
}

export function factsOf(change: Partial<Facts> = {}): Facts {
  const trails = change.trails ?? [];
  return {
    cluster: 'local',
    nodes: trails.map((_, index) => nodeOf(index)),
    trails,
    ended: new Set(trails.map(({ incident }) => incident)),
    messages: [],
    left: { leases: [], budget: { holders: [], waiting: [] }, cordoned: [] },
    publicKey: '',
    ...change,
  };
}
