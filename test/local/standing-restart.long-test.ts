import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterTag } from '../../lambdas/adapters/instance-cluster.ts';
import { endStanding } from '../../lambdas/adapters/standing-end.ts';
import { readStanding } from '../../lambdas/adapters/standing-reader.ts';
import { beginStanding } from '../../lambdas/adapters/standing-writer.ts';
import { CensusRun } from '../../lambdas/domain/census/run.ts';
import { weekdays } from '../../lambdas/domain/gates/wall-clock.ts';
import { Settings } from '../../lambdas/domain/settings.ts';
import type { Standing } from '../../lambdas/domain/standing/standing.ts';
import { type Engine, startEngine } from '../../local/engine/engine.ts';
import { openNode } from '../../local/local-node.ts';
import { localSettings } from '../../local/local-settings.ts';
import { testStack } from './test-engine.ts';

const cluster = 'leaking';
/** The same, with a window that is not open on any day of this test. */
const closed = 'leaking-by-day';
const nodeGroup = 'workers';
const today = new Date().getUTCDay();
const always = { days: [...weekdays], start: '00:00', end: '24:00', timeZone: 'Etc/UTC' };
const inThreeDays = weekdays[(today + 3) % 7] ?? 'SUN';

function clusterWith(open: (typeof always)[]) {
  return {
    ...localSettings({
      mode: 'approve',
      recorded: true,
      cluster: {
        verification: { windowSeconds: 2, samples: 5 },
        approval: { onePersonTeam: true, expirySeconds: { low: 30, medium: 30, high: 30 } },
        // Asks of every node that was treated before, and of none by a standing treatment.
        gates: { recurrence: { perNode: 1 }, windows: { open } },
      },
    }).clusters.local,
    standing: { cures: 1 },
  };
}
const settings = Settings.parse({
  ...localSettings({ mode: 'approve' }),
  clusters: {
    [cluster]: clusterWith([always]),
    [closed]: clusterWith([{ ...always, days: [inThreeDays] }]),
  },
});

type Told = { kind: string; incident: string; title: string; card?: Record<string, unknown> };

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
const put = (item: object) =>
  engine.cloud.dynamo.send(new PutItemCommand({ TableName: table(), Item: marshall(item) }));
const remove = (pk: string, sk: string) =>
  engine.cloud.dynamo.send(new DeleteItemCommand({ TableName: table(), Key: marshall({ pk, sk }) }));

/** A node whose kubelet grows to 1,500 MB in ten hours, by the samples that the node has kept, and nobody else has its course. */
async function attach(name: string, of = cluster): Promise<string> {
  const opened = await openNode({ name: 'kubelet-leak', id: name, directory: home });
  closing.push(() => opened.close());
  const root = opened.root ?? '';
  writeFileSync(join(root, 'proc/2231/status'), 'Name:\tkubelet\nVmRSS:\t 1536000 kB\n');
  const now = Math.floor(Date.now() / 1000);
  const lines = Array.from({ length: 41 }, (_, index) => {
    const at = now - (40 - index) * 900 - 120;
    return `5f0c7a52-93de-4c1a-8a3e-6b1d2f7c9e10 ${at} 120 18 0 4899640 88216 9144 ${900_000 + index * 15_900} 4100 12`;
  });
  mkdirSync(join(root, 'var/lib/cgroup-medic/evidence'), { recursive: true });
  writeFileSync(join(root, 'var/lib/cgroup-medic/evidence/history'), `${lines.join('\n')}\n`);
  const { around: _, ...managed } = opened.managed;
  const tags = { [clusterTag]: of, 'eks:nodegroup-name': nodeGroup };
  engine.cloud.ssm.attach({ ...managed, instanceId: idOf(name), tags });
  return idOf(name);
}

/** Approves whatever an incident asks until it has ended. */
async function incident(name: string, instanceId: string) {
  const at = new Date().toISOString();
  const ended = engine.execute({ name, input: { source: 'by-hand', id: name, at, cluster, instanceId } });
  const asked: string[] = [];
  let over = false;
  ended.finally(() => {
    over = true;
  });
  const approved = new Set<string>();
  while (!over) {
    for (const { kind, card } of messages.filter((one) => one.incident === name)) {
      const id = String(card?.approvalId);
      if (kind !== 'approval-requested' || approved.has(id)) continue;
      approved.add(id);
      asked.push(String(card?.treatment));
      await engine.functions.invoke('CgroupMedic-decide', {
        approvalId: id,
        decision: 'approve',
        by: { person: 'ana', door: 'local' },
      });
    }
    await sleep(200);
  }
  await ended;
  return { asked, approvals: [...approved] };
}

/** One quick look of the census, from the clock to its end. */
async function census(of = cluster): Promise<{ source: string; payload: Record<string, unknown> }[]> {
  const {
    CENSUS_QUEUE_URL = '',
    CENSUS_ENDS_QUEUE_URL = '',
    INTAKE_QUEUE_URL = '',
  } = environmentOf('census-close');
  const event = (body: string) => ({ Records: [{ messageId: 'm', body }] });
  await engine.functions.invoke('CgroupMedic-census-start', { cluster: of, profile: 'quick' });
  for (let tries = 0; tries < 60; tries += 1) {
    for (const { body } of engine.cloud.queues.take(CENSUS_QUEUE_URL)) {
      CensusRun.parse(JSON.parse(body));
      await engine.functions.invoke('CgroupMedic-census-read', event(body));
    }
    const ends = engine.cloud.queues.take(CENSUS_ENDS_QUEUE_URL);
    for (const { body } of ends) await engine.functions.invoke('CgroupMedic-census-close', event(body));
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

async function closedLine(name: string): Promise<(typeof audit)[number]> {
  for (let tries = 0; tries < 600; tries += 1) {
    const line = audit.find(({ incident: of, step }) => of === name && step === 'incident.closed');
    if (line !== undefined) return line;
    await sleep(200);
  }
  throw new Error(`incident ${name} has not closed`);
}

const restarts = (instances: readonly string[]) =>
  audit.filter(
    ({ step, treatment, instanceId }) =>
      step === 'treatment.intended' &&
      treatment === 'restart-kubelet' &&
      instances.includes(String(instanceId)),
  );

/** Walks that follow one another: what one begins, the next one goes by. */
describe.sequential('a group of nodes whose kubelets leak again and again', () => {
  let id = '';
  let approval = '';
  let left: string[] = [];
  let raised: Awaited<ReturnType<typeof census>> = [];

  it('is asked about once, after a restart has helped on one of its nodes', async () => {
    const first = await incident('first', await attach('one'));
    expect(first.asked).toEqual(['restart-kubelet']);
    const second = await incident('second', await attach('two'));
    expect(second.asked).toEqual(['restart-kubelet', 'standing-restart']);
    approval = second.approvals[1] ?? '';
    expect(await closedLine('second')).toMatchObject({
      outcome: 'cured',
      what: expect.stringContaining(`standing-restart of group ${nodeGroup} until`),
    });
    const read = await readStanding(engine.cloud.dynamo, table(), {
      cluster,
      nodeGroup,
      treatment: 'standing-restart',
    });
    expect(read).toMatchObject({ standing: { incident: 'second', approvedBy: 'ana', approval } });
    id = read?.standing.id ?? '';
  }, 240_000);

  it('is left alone while somebody has paused the cluster', async () => {
    left = [await attach('three'), await attach('four')];
    await put({ pk: `PAUSE#${cluster}`, sk: 'unreadable', pause: 'nobody knows' });
    expect(await census()).toEqual([]);
    await remove(`PAUSE#${cluster}`, 'unreadable');
  }, 120_000);

  it('then has one kubelet restarted before it is full, of two that leak, without a question', async () => {
    raised = await census();
    expect(raised).toHaveLength(1);
    expect(raised[0]).toMatchObject({
      payload: { standing: id, cause: 'kubelet-leak', reason: expect.stringContaining('grows by') },
    });
    expect(left).toContain(raised[0]?.payload.instanceId);
    messages.length = 0;
    const [acted = ''] = await take(raised);
    expect(await closedLine(acted)).toMatchObject({ outcome: 'cured' });
    expect(messages.filter(({ kind }) => kind === 'approval-requested')).toEqual([]);
    const line = (step: string) => audit.find((one) => one.incident === acted && one.step === step);
    expect(line('treatment.intended')).toMatchObject({
      treatment: 'restart-kubelet',
      actor: { kind: 'person', id: 'ana' },
    });
    expect(JSON.stringify(line('gated')?.details)).toContain(approval);
    expect(restarts(left)).toHaveLength(1);
  }, 240_000);

  it('is not restarted twice: of a kubelet that was just started no course is known', async () => {
    const [done] = raised.map(({ payload }) => payload.instanceId);
    const again = { ...raised[0], payload: { ...raised[0]?.payload, at: new Date().toISOString() } };
    const [refused = ''] = await take([again]);
    await closedLine(refused);
    expect(restarts([String(done)])).toHaveLength(1);
  }, 120_000);

  it('does nothing more once that has ended, whatever is in the queue', async () => {
    const [next = { source: '', payload: {} }, ...more] = await census();
    expect(more).toEqual([]);
    expect(next.payload).toMatchObject({ standing: id });
    expect(left).toContain(next.payload.instanceId);
    await endStanding(engine.cloud.dynamo, table(), cluster, {
      version: 1,
      id,
      at: new Date().toISOString(),
      by: 'bob',
      reason: 'there is a new AMI',
    });
    const [refused = ''] = await take([next]);
    expect(await closedLine(refused)).toMatchObject({
      outcome: 'refused',
      what: expect.stringContaining('bob ended it at'),
    });
    expect(restarts(left)).toHaveLength(1);
    await attach('five');
    expect((await census()).map(({ payload }) => payload.standing)).not.toContain(id);
  }, 240_000);
});

describe('a group whose maintenance window is closed', () => {
  it('is not raised, and what comes all the same is refused', async () => {
    const instanceId = await attach('six', closed);
    const days = (count: number) => new Date(Date.now() + count * 86_400_000).toISOString();
    const standing: Standing = {
      version: 1,
      id: 'another-r1',
      cluster: closed,
      nodeGroup,
      treatment: 'standing-restart',
      cause: 'kubelet-leak',
      threshold: 2048,
      incident: 'another',
      approvedBy: 'ana',
      approval: 'another-r1-v0',
      from: days(-1),
      until: days(6),
    };
    expect(await beginStanding(engine.cloud.dynamo, table(), standing, new Date())).toBeUndefined();
    expect(await census(closed)).toEqual([]);
    const payload = {
      cluster: closed,
      instanceId,
      at: new Date().toISOString(),
      cause: 'kubelet-leak',
      reason: 'somebody who can write into the queue',
      standing: 'another-r1',
    };
    const [refused = ''] = await take([{ source: 'census', received: payload.at, payload }]);
    expect(await closedLine(refused)).toMatchObject({ outcome: 'refused' });
    const gated = audit.find(({ incident: of, step }) => of === refused && step === 'gated');
    expect(JSON.stringify(gated)).toContain('no maintenance window is open');
    expect(restarts([instanceId])).toEqual([]);
  }, 240_000);
});
