import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { verifyTrail } from '../../lambdas/domain/audit/verify-trail.ts';
import { Message } from '../../lambdas/domain/message.ts';
import type { Decider } from '../../local/approvals.ts';
import type { LocalNode } from '../../local/local-node.ts';
import { clusters, startTestEngine, stateTable, type TestEngine, type TestIncident } from './test-engine.ts';

// Whole incidents, with other test files on the same cores.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let test: TestEngine;
beforeAll(async () => {
  test = await startTestEngine();
});
afterAll(() => test?.close());

/** What holds for every incident, whatever its end. */
async function expectTidy(incident: TestIncident): Promise<void> {
  const trail = incident.auditLines.map((line) => JSON.parse(line));
  expect(verifyTrail(trail, incident.publicKey)).toMatchObject({ ok: true });
  expect(await incident.leaseHolder()).toBeUndefined();
  expect(test.engine.cloud.unanswered).toEqual([]);
  expect(incident.execution.deliveries.filter(({ error }) => error !== undefined)).toEqual([]);
}

function steps({ auditLines }: TestIncident): string[] {
  return auditLines.flatMap((line) => JSON.parse(line).step ?? []);
}

// Incidents wait most of the time, so they run side by side: five at a time, the longest first.
describe.concurrent('one incident from alarm to end', () => {
  it('an approval of a node that has moved on is void: it is examined and asked for anew, and what was tried is not tried again', async () => {
    const boots = ['a', 'b'];
    let root = '';
    const change = (node: LocalNode): LocalNode => {
      root = node.root ?? '';
      return node;
    };
    const approve: Decider = async () => {
      const boot = boots.pop();
      const file = join(root, 'proc/sys/kernel/random/boot_id');
      if (boot !== undefined) writeFileSync(file, `00000000-0000-4000-8000-00000000000${boot}\n`);
      return { decision: 'approve' };
    };
    await test.run({ node: 'v2-nothing', approve, change }, async (incident) => {
      const trail = incident.auditLines.map((line) => JSON.parse(line));
      const outcomes = (step: string) => trail.flatMap((entry) => (entry.step === step ? entry.outcome : []));
      expect(outcomes('rechecked')).toEqual(['void', 'void', 'pass']);
      expect(outcomes('diagnosed')).toEqual(['dying-memcgs', 'dying-memcgs', 'dying-memcgs']);
      const told = incident.messages.map((message) => Message.parse(message));
      const moved = 'the node has moved on since this was approved: it is now diagnosed dying-memcgs';
      const ends = told.flatMap(({ approvalId = '', settled }) =>
        settled === undefined ? [] : [`${approvalId.slice(-5)} ${settled.status}`],
      );
      expect(ends.slice(0, 5)).toEqual([
        'r1-v0 approved',
        'r1-v0 void',
        'r1-v1 approved',
        'r1-v1 void',
        'r1-v2 approved',
      ]);
      expect(told.find(({ settled }) => settled?.status === 'void')?.text).toMatch(
        new RegExp(`^approved by .+, and not done: ${moved}$`),
      );
      const asked = told.filter(({ kind }) => kind === 'approval-requested');
      expect(asked.slice(0, 3).map(({ card }) => card?.why[0]?.includes(`is void: ${moved}`))).toEqual([
        false,
        true,
        true,
      ]);
      expect(incident.record.rungs.map(({ treatment }) => treatment)).toEqual([
        'reclaim',
        'drop-caches',
        'notify',
      ]);
      await expectTidy(incident);
    });
  });

  it('unresolved: after a reclaim that did not help, a person approves the last resort, which does not help either', async () => {
    await test.run({ node: 'v2-nothing', approve: 'yes' }, async (incident) => {
      expect(incident.record.outcome).toBe('unresolved');
      expect(incident.record.rungs.map(({ treatment, status }) => [treatment, status])).toEqual([
        ['reclaim', 'done'],
        ['drop-caches', 'done'],
        ['notify', 'done'],
      ]);
      expect(incident.record.rungs[1]).toMatchObject({
        approval: { status: 'approved' },
        verification: { cured: false },
      });
      const sent = incident.auditLines
        .map((line) => JSON.parse(line))
        .find(({ step, rung }) => step === 'treatment.sent' && rung === 1);
      expect(sent.arguments.approval).toMatch(/-r1-v0$/);
      await expectTidy(incident);
    });
  });

  it.each(['v2-zombies', 'v1-zombies'])('%s: cured, with the numbers before and after', async (node) => {
    await test.run({ node }, async (incident) => {
      const { record, execution } = incident;
      expect(record).toMatchObject({
        node,
        recorded: true,
        outcome: 'cured',
        diagnosis: { cause: 'dying-memcgs' },
        rungs: [{ treatment: 'reclaim', risk: 'low', verification: { cured: true, provisional: true } }],
      });
      const result = record.rungs[0]?.result;
      expect(result?.changed).toBe(true);
      expect(result?.before).toMatchObject({ dying: expect.any(Number), cachedKb: expect.any(Number) });
      expect(Number(result?.after.dying)).toBeLessThan(Number(result?.before.dying) / 5);
      expect(record.timings.byPhase).toMatchObject({
        examine: expect.any(Number),
        verify: expect.any(Number),
      });
      expect(execution.history.at(-2)).toMatchObject({ type: 'StateExited', state: 'Cured' });
      await expectTidy(incident);
    });
  });

  it('watches the node for as long as the settings say before it decides, and not when it looks again', async () => {
    await test.run({ node: 'v2-zombies' }, (incident) => {
      const looks = incident.auditLines
        .map((line) => JSON.parse(line))
        .filter(({ step, document }) => step === 'examination.sent' && document === 'collect-evidence')
        .map((entry) => entry.arguments);
      expect(looks).toEqual([
        { profile: 'full', windowSeconds: '1' },
        ...Array.from({ length: 4 }, () => ({ profile: 'quick', windowSeconds: '0' })),
        // The last look is judged by, and may find what else is wrong.
        { profile: 'full', windowSeconds: '1' },
      ]);
    });
  });

  it('relieved: the level falls and new ones keep coming; people are told', async () => {
    await test.run({ node: 'v2-growing', cluster: clusters.cautious }, async (incident) => {
      expect(incident.record.outcome).toBe('relieved');
      expect(incident.record.rungs.map(({ treatment }) => treatment)).toEqual([
        'reclaim',
        'drop-caches',
        'notify',
      ]);
      expect(incident.messages.map(({ kind }) => kind)).toContain('call-a-person');
      await expectTidy(incident);
    });
  });

  it('relieved: reclaim helps partly', async () => {
    await test.run({ node: 'v2-partly', cluster: clusters.cautious }, async (incident) => {
      expect(incident.record.outcome).toBe('relieved');
      await expectTidy(incident);
    });
  });

  it.each(['v2-nothing', 'v2-worse'])('unresolved: %s; it is undone and a person is called', async (node) => {
    await test.run({ node, cluster: clusters.cautious }, async (incident) => {
      expect(incident.record.outcome).toBe('unresolved');
      expect(incident.record.rungs[0]).toMatchObject({ verification: { cured: false } });
      const done = incident.record.rungs.filter(({ result }) => result !== undefined);
      // Nothing heavier is done to a node that got worse.
      if (node === 'v2-worse') expect(done.map(({ treatment }) => treatment)).toEqual(['reclaim']);
      expect(steps(incident)).toContain('undo.finished');
      expect(incident.messages.map(({ kind }) => kind)).toContain('call-a-person');
      await expectTidy(incident);
    });
  });

  it('cured by enable-linger on a systemd with a memory cgroup per user; reclaim before it had only relieved', async () => {
    await test.run({ node: 'v1-logins', cluster: clusters.patient }, async (incident) => {
      expect(incident.record).toMatchObject({
        outcome: 'cured',
        diagnosis: { cause: 'session-churn' },
        rungs: [
          { treatment: 'reclaim', verification: { verdict: 'relieved' } },
          {
            treatment: 'enable-linger',
            arguments: { users: 'deploy' },
            result: { changed: true, undo: { document: 'disable-linger' } },
            verification: { verdict: 'cured' },
          },
        ],
      });
      expect(steps(incident)).not.toContain('undo.sent');
      await expectTidy(incident);
    });
  });

  it('observed: a healthy node gets no treatment', async () => {
    await test.run({ node: 'healthy' }, async (incident) => {
      expect(incident.record).toMatchObject({
        outcome: 'observed',
        diagnosis: { cause: 'healthy' },
        rungs: [],
      });
      expect(steps(incident)).not.toContain('treatment.sent');
      await expectTidy(incident);
    });
  });

  it('observed: in the mode observe it says what it would do, and does nothing', async () => {
    await test.run({ node: 'v2-zombies', cluster: clusters.observe }, async (incident) => {
      expect(incident.record.outcome).toBe('observed');
      expect(incident.record.diagnosis?.cause).toBe('dying-memcgs');
      expect(steps(incident)).not.toContain('treatment.intended');
      await expectTidy(incident);
    });
  });

  it('cured after a person approved and the node was looked at again', async () => {
    const props = { node: 'v2-zombies', cluster: clusters.approve, approve: 'yes' } as const;
    await test.run(props, async (incident) => {
      expect(incident.record.outcome).toBe('cured');
      expect(incident.record.rungs[0]?.approval).toMatchObject({
        status: 'approved',
        by: expect.any(String),
      });
      const done = steps(incident);
      expect(done.indexOf('approval.decided')).toBeLessThan(done.indexOf('treatment.intended'));
      expect(done).toContain('rechecked');
      await expectTidy(incident);
    });
  });

  it('denied: nothing is done, and the reason is in the record', async () => {
    const props = { node: 'v2-zombies', cluster: clusters.approve, approve: 'no' } as const;
    await test.run(props, async (incident) => {
      expect(incident.record.outcome).toBe('denied');
      expect(incident.record.rungs[0]?.approval).toMatchObject({
        status: 'denied',
        reason: 'started with --approve no',
      });
      expect(steps(incident)).not.toContain('treatment.intended');
      await expectTidy(incident);
    });
  });

  it('expired: nobody answers in time', async () => {
    await test.run({ node: 'v2-zombies', cluster: clusters.approve }, async (incident) => {
      expect(incident.record.outcome).toBe('expired');
      expect(steps(incident)).not.toContain('treatment.intended');
      await expectTidy(incident);
    });
  });

  it.each([
    ['silent', 'did not answer'],
    ['garbage', 'JSON'],
  ])('%s: inconclusive, and a person is called', async (node, reason) => {
    await test.run({ node }, async (incident) => {
      expect(incident.record.diagnosis).toMatchObject({ cause: 'inconclusive', confidence: 0 });
      expect(JSON.stringify(incident.record.diagnosis?.gaps)).toContain(reason);
      expect(incident.record.outcome).not.toBe('observed');
      expect(incident.messages.map(({ kind }) => kind)).toContain('call-a-person');
      expect(steps(incident)).not.toContain('treatment.intended');
      await expectTidy(incident);
    });
  });

  it('garbage: the head of what was printed is in the audit', async () => {
    await test.run({ node: 'garbage' }, async (incident) => {
      expect(incident.auditLines.join('\n')).toContain('3 updates available');
    });
  });

  it('refused: another incident holds the node, and keeps it', async () => {
    const before = async (instanceId: string): Promise<void> => {
      await test.engine.cloud.dynamo.send(
        new UpdateItemCommand({
          TableName: stateTable(test.engine),
          Key: marshall({ pk: `LEASE#${instanceId}`, sk: 'LEASE' }),
          UpdateExpression: 'SET holder = :who, expiresAt = :until ADD fencing :one',
          ExpressionAttributeValues: marshall({
            ':who': 'somebody-else',
            ':until': new Date(Date.now() + 600_000).toISOString(),
            ':one': 1,
          }),
        }),
      );
    };
    await test.run({ node: 'v2-zombies', before }, async (incident) => {
      expect(incident.record.outcome).toBe('refused');
      expect(incident.record.reason).toContain('somebody-else');
      expect(steps(incident)).not.toContain('examination.sent');
      expect(await incident.leaseHolder()).toBe('somebody-else');
      const trail = incident.auditLines.map((line) => JSON.parse(line));
      expect(verifyTrail(trail, incident.publicKey)).toMatchObject({ ok: true });
    });
  });
});
