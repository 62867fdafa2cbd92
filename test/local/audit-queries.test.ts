import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditQueries, waitingApprovals } from '../../cdk/constructs/audit-queries.ts';
import { AuditEntry } from '../../lambdas/domain/audit/entry.ts';
import { refusedEntry } from '../../lambdas/domain/intake/entry.ts';
import { clusters, startTestEngine, type TestEngine } from './test-engine.ts';

type Line = Record<string, unknown>;

/** The lines of two incidents of this machine, and one that the intake writes. */
let lines: Line[];
let instanceId: string;
let test: TestEngine;
beforeAll(async () => {
  test = await startTestEngine();
  lines = [];
  await test.run({ node: 'v2-zombies', cluster: clusters.approve, approve: 'yes' }, async (incident) => {
    lines.push(...incident.auditLines.map((line): Line => JSON.parse(line)));
  });
  instanceId = String(lines[0]?.instanceId);
  await test.run({ node: 'v2-zombies', cluster: clusters.observe }, async (incident) => {
    lines.push(...incident.auditLines.map((line): Line => JSON.parse(line)));
  });
  lines.push(
    refusedEntry({ reason: 'unknown-cluster', sentence: 'no such cluster' }, 'cloudwatch', {
      at: new Date('2026-11-21T06:00:00Z'),
      messageId: 'm',
    }) satisfies Line,
  );
  // Two whole incidents, with other test files on the same cores.
}, 480_000);
afterAll(() => test?.close());

/** What Logs Insights makes of a path such as `actor.kind`. */
function field(line: Line, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (Object(value) as Line)[key], line);
}

/** The filters of a query: comparisons with texts and lists of texts, joined by `and` and `or`. */
function passes(query: string, line: Line): boolean {
  const filters = query.split('\n').flatMap((part) => /^\| filter (.*)$/.exec(part)?.[1] ?? []);
  return filters.every((filter) =>
    filter.split(/ or (?![^(]*\))/).some((side) =>
      side
        .replace(/^\((.*)\)$/, '$1')
        .split(' and ')
        .every((comparison) => {
          const [, path = '', operator, value = ''] = /^([\w.]+) (=|in) (.*)$/.exec(comparison) ?? [];
          if (operator === undefined) throw new Error(`not understood: ${comparison}`);
          const wanted: unknown = JSON.parse(value);
          return [wanted].flat().includes(field(line, path));
        }),
    ),
  );
}

const answer = (name: string, change = (query: string) => query): string[] => {
  const { query = '' } = auditQueries.find((one) => one.name === name) ?? {};
  return lines.filter((line) => passes(change(query), line)).map(({ step, kind }) => String(step ?? kind));
};

describe('the saved queries, over the audit lines of incidents of this machine', () => {
  it('ask for fields that lines have', () => {
    const known = (path: string) => lines.some((line) => field(line, path) !== undefined);
    for (const { name, query } of [...auditQueries, { name: 'waiting', query: waitingApprovals }]) {
      const [, fields = ''] = /^fields (.*)$/m.exec(query) ?? [];
      const asked = fields.split(', ').filter((path) => !path.startsWith('@'));
      // Who sent a message is known for some, and stands in no sample here.
      expect(
        asked.filter((path) => !known(path) && path !== 'sender'),
        name,
      ).toEqual([]);
    }
  });

  it('ask for steps that are known', () => {
    const named = [...auditQueries.map(({ query }) => query), waitingApprovals].flatMap((query) =>
      [...query.matchAll(/"([a-z]+\.[a-z]+)"/g)].map(([, step]) => step),
    );
    expect(named.length).toBeGreaterThan(10);
    expect(
      named.filter((step) => step !== 'alarm.refused' && !AuditEntry.shape.step.safeParse(step).success),
    ).toEqual([]);
  });

  it('tell what was done to one node', () => {
    const steps = answer('What was done to node X', (query) =>
      query.replace('i-0123456789abcdef0', instanceId),
    );
    expect(steps).toEqual(
      expect.arrayContaining([
        'incident.opened',
        'diagnosed',
        'treatment.sent',
        'verified',
        'incident.closed',
      ]),
    );
    expect(answer('What was done to node X')).toEqual([]);
  });

  it('tell who approved what', () => {
    expect(answer('Who approved what')).toEqual([
      'approval.requested',
      'approval.decided',
      'approval.settled',
    ]);
    const decided = lines.find(({ step }) => step === 'approval.decided');
    expect(decided).toMatchObject({ actor: { kind: 'person' }, treatment: 'reclaim', outcome: 'approve' });
  });

  it('tell what was refused, and why', () => {
    expect(answer('What was refused and why')).toEqual(['gated', 'alarm.refused']);
    const observed = lines.filter(({ step, outcome }) => step === 'gated' && outcome === 'observe');
    expect(observed).toHaveLength(1);
  });
});
