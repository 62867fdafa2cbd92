import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { clusterTag } from '../../lambdas/adapters/instance-cluster.ts';
import { endStanding } from '../../lambdas/adapters/standing-end.ts';
import { readStanding } from '../../lambdas/adapters/standing-reader.ts';
import { beginStanding } from '../../lambdas/adapters/standing-writer.ts';
import { CensusRun } from '../../lambdas/domain/census/run.ts';
import { type BreakerState, closedBreaker } from '../../lambdas/domain/gates/breaker.ts';
import { Settings } from '../../lambdas/domain/settings.ts';
import type { Standing } from '../../lambdas/domain/standing/standing.ts';
import { type Engine, startEngine } from '../../local/engine/engine.ts';
import { openNode } from '../../local/local-node.ts';
import { localSettings } from '../../local/local-settings.ts';
import { testStack } from './test-engine.ts';

const cluster = 'churning';
const nodeGroup = 'workers';
const settings = Settings.parse({
  ...localSettings({ mode: 'approve' }),
  clusters: {
    [cluster]: {
      ...localSettings({
        mode: 'approve',
        recorded: true,
        cluster: {
          verification: { windowSeconds: 2, samples: 5 },
          approval: { onePersonTeam: true, expirySeconds: { low: 30, medium: 30, high: 30 } },
          // Asks of every node that was treated before, and of none by a standing treatment.
          gates: { recurrence: { perNode: 1 } },
        },
      }).clusters.local,
      // What a recorded node has is a fault here, also for a quick look.
      thresholds: { dyingCount: 300, dyingFloor: 100 },
      standing: { cures: 1, nodesAtOnce: 1 },
    },
  },
});

const put = (item: object) =>
  engine.cloud.dynamo.send(new PutItemCommand({ TableName: table(), Item: marshall(item) }));
const remove = (pk: string, sk: string) =>
  engine.cloud.dynamo.send(new DeleteItemCommand({ TableName: table(), Key: marshall({ pk, sk }) }));

type Told = { kind: string; incident: string; title: string; text: string; card?: Record<string, unknown> };

let engine: Engine;
let home: string;
const closing: (() => Promise<void>)[] = [];
const messages: Told[] = [];
const audit: { incident: string; step: string; [name: string]: unknown }[] = [];

beforeAll(async () => {
  const stack = await testStack(settings);
  home = mkdtempSync(join(tmpdir(), 'cgroup-medic-standing-'));
  engine = await startEngine({ stack, logFile: join(home, 'functions.log') });
  engine.onPublished(({ message }) => messages.push(JSON.parse(message)));
  engine.onLogLine(({ group, message }) => {
    if (group === stack.outputs.AuditLogGroupName) audit.push(JSON.parse(message));
  });
}, 240_000);

afterAll(async () => {
  for (const close of closing) await close();
  await engine?.close();
  rmSync(home, { recursive: true, force: true });
});

const idOf = (name: string) => `i-${createHash('sha256').update(name).digest('hex').slice(0, 17)}`;
const table = () => engine.stack.functions[0]?.environment.STATE_TABLE ?? '';
const environmentOf = (name: string) =>
  engine.stack.functions.find((one) => one.name === `CgroupMedic-${name}`)?.environment ?? {};

async function attach(name: string): Promise<string> {
  const opened = await openNode({ name: 'v2-zombies', id: name, directory: home });
  closing.push(() => opened.close());
  const tags = { [clusterTag]: cluster, 'eks:nodegroup-name': nodeGroup };
  engine.cloud.ssm.attach({ ...opened.managed, instanceId: idOf(name), tags });
  return idOf(name);
}

/** Approves whatever an incident asks until it has ended. */
async function approving(incident: string, ended: Promise<unknown>): Promise<string[]> {
  const approved: string[] = [];
  let over = false;
  ended.finally(() => {
    over = true;
  });
  while (!over) {
    for (const { kind, card } of messages.filter((one) => one.incident === incident)) {
      const id = String(card?.approvalId);
      if (kind !== 'approval-requested' || approved.includes(id)) continue;
      approved.push(id);
      await engine.functions.invoke('CgroupMedic-decide', {
        approvalId: id,
        decision: 'approve',
        by: { person: 'ana', door: 'local' },
      });
    }
    await sleep(200);
  }
  return approved;
}

async function incident(name: string, instanceId: string) {
  const at = new Date().toISOString();
  const ended = engine.execute({ name, input: { source: 'by-hand', id: name, at, cluster, instanceId } });
  const approved = await approving(name, ended);
  return { ...(await ended), approved };
}

/**
 * One quick look of the census, from the clock to its end.
 *
 * @param fails what the function that ends it fails with, once it has done all else
 */
async function census(fails?: RegExp): Promise<{ source: string; payload: Record<string, unknown> }[]> {
  const {
    CENSUS_QUEUE_URL = '',
    CENSUS_ENDS_QUEUE_URL = '',
    INTAKE_QUEUE_URL = '',
  } = environmentOf('census-close');
  const event = (body: string) => ({ Records: [{ messageId: 'm', body }] });
  await engine.functions.invoke('CgroupMedic-census-start', { cluster, profile: 'quick' });
  for (let tries = 0; tries < 60; tries += 1) {
    for (const { body } of engine.cloud.queues.take(CENSUS_QUEUE_URL)) {
      CensusRun.parse(JSON.parse(body));
      await engine.functions.invoke('CgroupMedic-census-read', event(body));
    }
    const ends = engine.cloud.queues.take(CENSUS_ENDS_QUEUE_URL);
    for (const { body } of ends) {
      const closing = engine.functions.invoke('CgroupMedic-census-close', event(body));
      await (fails === undefined ? closing : expect(closing).rejects.toThrow(fails));
    }
    if (ends.length > 0)
      return engine.cloud.queues.take(INTAKE_QUEUE_URL).map(({ body }) => JSON.parse(body));
    await sleep(500);
  }
  throw new Error('the run came to no end');
}

/** What the intake makes of what the census raised: the names of the incidents. */
async function take(raised: readonly object[]): Promise<string[]> {
  const { ALARM_QUEUE_ARN = '' } = environmentOf('intake');
  const before = new Set(engine.executions.all().map(({ name }) => name));
  const attributes = { SentTimestamp: String(Date.now()), SenderId: 'census' };
  await engine.functions.invoke('CgroupMedic-intake', {
    Records: raised.map((body, index) => ({
      messageId: `m-${index}`,
      body: JSON.stringify(body),
      attributes,
      eventSourceARN: ALARM_QUEUE_ARN,
    })),
  });
  return engine.executions.all().flatMap(({ name }) => (before.has(name) ? [] : [name]));
}

async function closed(name: string): Promise<(typeof audit)[number]> {
  for (let tries = 0; tries < 300; tries += 1) {
    const line = audit.find(({ incident: of, step }) => of === name && step === 'incident.closed');
    if (line !== undefined) return line;
    await sleep(200);
  }
  throw new Error(`incident ${name} has not closed`);
}

/** Walks that follow one another: what one begins, the next one goes by. */
describe.sequential('a group of nodes that reclaim cures again and again', () => {
  let id = '';
  let approval = '';

  it('is asked about once, after one of its nodes is cured', async () => {
    const first = await incident('first', await attach('one'));
    expect(first.approved).toHaveLength(1);
    const second = await incident('second', await attach('two'));
    expect(second.approved).toHaveLength(2);
    approval = second.approved[1] ?? '';
    expect(await closed('second')).toMatchObject({
      outcome: 'cured',
      what: expect.stringContaining(`standing-reclaim of group ${nodeGroup} until`),
    });
    const read = await readStanding(engine.cloud.dynamo, table(), {
      cluster,
      nodeGroup,
      treatment: 'standing-reclaim',
    });
    expect(read).toMatchObject({ standing: { incident: 'second', approvedBy: 'ana', approval } });
    id = read?.standing.id ?? '';
  }, 240_000);

  it('is then treated by the census without a question, one node at a time', async () => {
    const left = [await attach('three'), await attach('four')];
    const raised = await census();
    expect(raised).toHaveLength(1);
    expect(raised[0]).toMatchObject({ payload: { standing: id } });
    expect(left).toContain(raised[0]?.payload.instanceId);
    messages.length = 0;
    const [acted = ''] = await take(raised);
    expect(await closed(acted)).toMatchObject({ outcome: 'cured' });
    expect(messages.filter(({ kind }) => kind === 'approval-requested')).toEqual([]);
    const line = (step: string) => audit.find((one) => one.incident === acted && one.step === step);
    expect(line('treatment.intended')).toMatchObject({
      treatment: 'reclaim',
      actor: { kind: 'person', id: 'ana' },
    });
    expect(JSON.stringify(line('gated')?.details)).toContain(approval);
  }, 240_000);

  it('is left alone while somebody has paused the cluster', async () => {
    await put({ pk: `PAUSE#${cluster}`, sk: 'unreadable', pause: 'nobody knows' });
    expect(await census()).toEqual([]);
    await remove(`PAUSE#${cluster}`, 'unreadable');
  }, 120_000);

  it('is asked about node by node again once that has ended, and what is late does nothing', async () => {
    await endStanding(engine.cloud.dynamo, table(), cluster, {
      version: 1,
      id,
      at: new Date().toISOString(),
      by: 'bob',
      reason: 'the producer is gone',
    });
    const [other = { payload: {} }, ...more] = await census();
    expect(more).toEqual([]);
    expect(other.payload).toHaveProperty('instanceId');
    expect(other.payload).not.toHaveProperty('standing');
    // What was put into the queue before the end.
    const late = { ...other, payload: { ...other.payload, standing: id, cause: 'session-churn' } };
    const [refused = ''] = await take([late]);
    expect(await closed(refused)).toMatchObject({
      outcome: 'refused',
      what: expect.stringContaining('bob ended it at'),
    });
    const [asking = ''] = await take([other]);
    await vi.waitFor(
      () =>
        expect(
          messages.find(({ incident: of, kind }) => of === asking && kind === 'approval-requested'),
        ).toMatchObject({
          card: { treatment: 'reclaim' },
        }),
      { timeout: 60_000, interval: 200 },
    );
  }, 240_000);

  it('tells people after a week that it falls behind, and ends when the breaker opens', async () => {
    await attach('five');
    await attach('six');
    const days = (count: number) => new Date(Date.now() + count * 86_400_000).toISOString();
    const standing: Standing = {
      version: 1,
      id: 'another-r1',
      cluster,
      nodeGroup,
      treatment: 'standing-reclaim',
      cause: 'dying-memcgs',
      threshold: 300,
      incident: 'another',
      approvedBy: 'ana',
      approval: 'another-r1-v0',
      from: days(-8),
      until: days(6),
    };
    expect(await beginStanding(engine.cloud.dynamo, table(), standing, new Date())).toBeUndefined();
    // One of another group of which nobody can read how it goes.
    const lost = { ...standing, id: 'lost-r1', nodeGroup: 'a-lost-group', incident: 'lost' };
    expect(await beginStanding(engine.cloud.dynamo, table(), lost, new Date())).toBeUndefined();
    const course = [`STANDING-COURSE#${cluster}#standing-reclaim#a-lost-group`, 'STANDING-COURSE'] as const;
    await put({ pk: course[0], sk: course[1], state: '{}', revision: 1 });
    messages.length = 0;
    const raised = await census(/standing treatments broke in this run: lost-r1: /);
    await remove(...course);
    expect(raised.map(({ payload }) => payload.standing)).toEqual(['another-r1']);
    expect(messages.filter(({ incident: of }) => of === 'another')).toMatchObject([
      { kind: 'call-a-person', title: expect.stringContaining('it does not keep up') },
    ]);

    const failure = { incident: 'i', instanceId: idOf('one'), treatment: 'reclaim', why: 'x', harmed: false };
    const at = new Date().toISOString();
    const breaker: BreakerState = { ...closedBreaker, openedAt: at, failures: [{ ...failure, at }] };
    await put({ pk: `BREAKER#${cluster}`, sk: 'BREAKER', state: JSON.stringify(breaker), revision: 1 });
    messages.length = 0;
    await census();
    expect(messages.filter(({ incident: of }) => of === 'another')).toMatchObject([
      { title: expect.stringContaining('has ended itself') },
    ]);
    expect(await readStanding(engine.cloud.dynamo, table(), standing)).toMatchObject({
      end: { by: 'rule standing', reason: `the breaker of the cluster opened at ${at}` },
    });
  }, 120_000);
});
