import { userInfo } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditQueries, waitingApprovals } from '../../cdk/constructs/audit-queries.ts';
import { AuditEntry } from '../../lambdas/domain/audit/entry.ts';
import { waiting } from '../../lambdas/domain/audit/questions.ts';
import { refusedEntry } from '../../lambdas/domain/intake/entry.ts';
import { select } from '../../local/audit-show.ts';
import type { LocalNode } from '../../local/local-node.ts';
import { clusters, startTestEngine, type TestEngine } from './test-engine.ts';

type Line = Record<string, unknown>;
const imageId = 'ami-00112233445566778';

/** The lines of two incidents of this machine, and one that the intake writes. */
let lines: Line[];
let instanceId: string;
let test: TestEngine;
beforeAll(async () => {
  test = await startTestEngine();
  lines = [];
  const change = (node: LocalNode): LocalNode => ({ ...node, managed: { ...node.managed, imageId } });
  await test.run(
    { node: 'v2-zombies', cluster: clusters.approve, approve: 'yes', change },
    async (incident) => {
      lines.push(...incident.auditLines.map((line): Line => JSON.parse(line)));
    },
  );
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
          const [, present] = /^ispresent\((\w+)\)$/.exec(comparison) ?? [];
          if (present !== undefined) return field(line, present) !== undefined;
          const [, path = '', operator, value = ''] = /^([\w.]+) (=|in) (.*)$/.exec(comparison) ?? [];
          if (operator === undefined) throw new Error(`not understood: ${comparison}`);
          const wanted: unknown = JSON.parse(value);
          return [wanted].flat().includes(field(line, path));
        }),
    ),
  );
}

const linesOf = (name: string, change = (query: string) => query): Line[] => {
  const { query } = auditQueries.find((one) => one.name === name) ?? {};
  if (query === undefined) throw new Error(`there is no query "${name}"`);
  return lines.filter((line) => passes(change(query), line));
};
const answer = (name: string, change = (query: string) => query): string[] =>
  linesOf(name, change).map(({ step, kind }) => String(step ?? kind));

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

  it('tell what was done to the nodes of one cluster, or of one image', () => {
    const put = (example: string, value: string) => (query: string) => query.replace(example, value);
    const [cluster, ami] = [put('my-cluster', clusters.observe), put('ami-0123456789abcdef0', imageId)];
    expect(answer('What was done to cluster X', cluster)).toContain('incident.closed');
    expect(answer('What was done to cluster X', cluster)).not.toContain('treatment.sent');
    expect(answer('What was done to cluster X')).toEqual([]);
    expect(answer('What was done to the nodes of AMI X', ami)).toEqual(
      expect.arrayContaining(['incident.opened', 'treatment.sent', 'incident.closed']),
    );
    expect(answer('What was done to the nodes of AMI X')).toEqual([]);
  });

  it('tell which nodes need a person, whatever became of those that nothing was done to', () => {
    const name = 'Which nodes need a person';
    expect(linesOf(name)).toEqual([]);
    const needy = [
      { step: 'notified', instanceId },
      { step: 'incident.closed', outcome: 'unresolved', instanceId },
      { step: 'incident.closed', outcome: 'cured', instanceId },
      { step: 'verified', outcome: 'failed', instanceId },
    ];
    const { query } = auditQueries.find((one) => one.name === name) ?? { query: '' };
    expect(needy.filter((line) => passes(query, line))).toEqual(needy.slice(0, 2));
    expect(select(needy, { needy: true })).toEqual(needy.slice(0, 2));
  });

  it('tell what one person did and decided', () => {
    const steps = answer('What person X did and decided', (query) =>
      query.replace('you@example.com', userInfo().username),
    );
    expect(steps).toEqual(
      expect.arrayContaining(['incident.opened', 'approval.decided', 'treatment.intended']),
    );
    expect(answer('What person X did and decided')).toEqual([]);
  });

  it('tell the time of each phase, out of every entry', () => {
    const measured = linesOf('Time per phase');
    const entries = lines.filter(({ step }) => step !== undefined);
    expect(measured).toEqual(entries);
    const sum = (own: Line[]): number => own.reduce((ms, { durationMs }) => ms + Number(durationMs), 0);
    const whole = [0, 1].map((index) => {
      const { incident } = entries.filter(({ step }) => step === 'incident.opened')[index] ?? {};
      const at = entries
        .filter((line) => line.incident === incident)
        .map((line) => Date.parse(String(line.at)));
      return Math.max(...at) - Math.min(...at);
    });
    // What the phases took is what the incidents took.
    expect(sum(measured)).toBe(whole.reduce((a, b) => a + b, 0));
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

describe('npm run audit -- show answers as the saved queries do:', () => {
  it.each<[string, string, string, (value: string) => Parameters<typeof select>[1]]>([
    ['What was done to node X', 'i-0123456789abcdef0', 'instanceId', (node) => ({ node })],
    ['What was done to cluster X', 'my-cluster', 'cluster', (cluster) => ({ cluster })],
    ['What was done to the nodes of AMI X', 'ami-0123456789abcdef0', 'imageId', (ami) => ({ ami })],
    ['What person X did and decided', 'you@example.com', 'actor.id', (person) => ({ person })],
    ['Who approved what', '', '', () => ({ approvals: true })],
    ['What was refused and why', '', '', () => ({ refused: true })],
  ])('%s', (name, example, path, options) => {
    const values = path === '' ? [''] : new Set(lines.map((line) => String(field(line, path) ?? 'none')));
    let answered = 0;
    for (const value of values) {
      const expected = linesOf(name, (query) => query.replace(example, value));
      expect(select(lines, options(value)), value).toEqual(expected);
      answered += expected.length;
    }
    expect(answered).toBeGreaterThan(0);
  });

  it('What is waiting for a person', () => {
    const until = (step: string): AuditEntry[] => {
      const entries = lines.flatMap((line) => AuditEntry.loose().safeParse(line).data ?? []);
      return entries.slice(0, entries.findIndex((entry) => entry.step === step) + 1);
    };
    expect(waiting(until('approval.requested'))).toMatchObject([{ step: 'approval.requested' }]);
    expect(select(until('approval.requested'), { waiting: true })).toHaveLength(1);
    // It may have been refused, or be one of two; only what came of it ends the wait.
    expect(select(until('approval.decided'), { waiting: true })).toHaveLength(1);
    expect(select(until('approval.settled'), { waiting: true })).toEqual([]);
    expect(select(lines, { waiting: true })).toEqual([]);
  });
});
