import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterTag } from '../../lambdas/adapters/instance-cluster.ts';
import { CensusRun } from '../../lambdas/domain/census/run.ts';
import { Settings } from '../../lambdas/domain/settings.ts';
import type { Datum } from '../../local/cloud/cloudwatch.ts';
import type { Published } from '../../local/cloud/sns.ts';
import { type Engine, startEngine } from '../../local/engine/engine.ts';
import { openNode } from '../../local/local-node.ts';
import { localSettings } from '../../local/local-settings.ts';
import { testStack } from './test-engine.ts';

const census = { raiseAtMost: 2, nodeMetrics: ['dying', 'availableKb'] as const };
const cluster = localSettings({ mode: 'observe', recorded: true }).clusters.local;
const settings = Settings.parse({
  ...localSettings({ mode: 'observe' }),
  clusters: { looked: { ...cluster, census }, other: cluster, empty: cluster },
});

let engine: Engine;
let home: string;
let intake: string;
const nodes = new Map<string, { instanceId: string; close(): Promise<void> }>();
const messages: Published[] = [];

beforeAll(async () => {
  const stack = await testStack(settings);
  home = mkdtempSync(join(tmpdir(), 'cgroup-medic-census-'));
  // Nobody reads it here but this test: what the intake makes of it, test/local/intake.test.ts sees.
  intake = stack.queues.find(({ logicalId }) => logicalId.startsWith('IntakeAlarms'))?.url ?? '';
  engine = await startEngine({
    stack,
    logFile: join(home, 'functions.log'),
  });
  engine.onPublished((message) => messages.push(message));
  for (const name of ['v2-zombies', 'v1-zombies', 'v2-nothing', 'healthy', 'garbage']) await attach(name);
  await attach('v2-zombies', 'other', 'elsewhere');
  // Its agent has never told the service of itself: SSM knows no such node, and EC2 does.
  engine.cloud.ssm.attach({ ...unanswering('mute'), registered: false });
  engine.cloud.ssm.attach({ ...unanswering('newborn'), registered: false, launchedAt: new Date() });
});

afterAll(async () => {
  for (const { close } of nodes.values()) await close();
  await engine?.close();
  rmSync(home, { recursive: true, force: true });
});

async function attach(name: string, to = 'looked', as = name): Promise<void> {
  const opened = await openNode({ name, id: as, directory: home });
  const instanceId = idOf(as);
  nodes.set(as, { instanceId, close: () => opened.close() });
  engine.cloud.ssm.attach({ ...opened.managed, instanceId, tags: { [clusterTag]: to } });
}

function unanswering(name: string) {
  const run = () => Promise.reject(new Error('nothing runs here'));
  return { instanceId: idOf(name), tags: { [clusterTag]: 'looked' }, run };
}

function idOf(name: string): string {
  return `i-${createHash('sha256').update(name).digest('hex').slice(0, 17)}`;
}

/** One run from the clock to its end, as the queue would deliver it, but for the waiting. */
async function take(name: string, profile: 'quick' | 'full'): Promise<CensusRun[]> {
  const looks: CensusRun[] = [];
  const queue =
    engine.stack.functions.find(({ name }) => name.endsWith('-census-read'))?.environment.CENSUS_QUEUE_URL ??
    '';
  await engine.functions.invoke('CgroupMedic-census-start', { cluster: name, profile });
  for (let tries = 0; tries < 100; tries += 1) {
    const waiting = engine.cloud.queues.take(queue);
    if (waiting.length === 0) return looks;
    for (const { id, body, delaySeconds } of waiting) {
      expect(delaySeconds).toBeLessThanOrEqual(900);
      looks.push(CensusRun.parse(JSON.parse(body)));
      await engine.functions.invoke('CgroupMedic-census-read', { Records: [{ messageId: id, body }] });
    }
    await sleep(500);
  }
  throw new Error('the run came to no end');
}

/** What was published since, by metric and the dimensions beside the cluster. */
function figures(data: readonly Datum[], name: string): Record<string, number> {
  return Object.fromEntries(
    data
      .filter(({ dimensions }) => dimensions.ClusterName === name)
      .map(({ name: metric, dimensions, value, set }) => [
        [metric, dimensions.InstanceId].filter(Boolean).join(' '),
        set?.max ?? value,
      ]),
  );
}

function raised(): { payload: Record<string, unknown>; source: string }[] {
  return engine.cloud.queues.take(intake).map(({ body }) => JSON.parse(body));
}

describe('the quick census of a cluster', () => {
  it('counts who is there and who has answered, publishes what was read, and raises the worst', async () => {
    const looks = await take('looked', 'quick');

    const data = engine.cloud.metrics.splice(0);
    expect(figures(data, 'other')).toEqual({});
    const told = figures(data, 'looked');
    // Six run: one printed garbage, one was never reached. One is too young to be asked.
    expect(told).toMatchObject({
      CensusRuns: 1,
      Nodes: 6,
      NodesAnswered: 4,
      NodesOverThreshold: 3,
      NodesUnclear: 0,
      NodesRaised: 2,
      NodesHeldBack: 1,
    });
    const ofNodes = Object.keys(told).filter((key) => key.includes(' i-'));
    expect(ofNodes.sort()).toEqual(
      ['v2-zombies', 'v1-zombies', 'v2-nothing', 'healthy']
        .flatMap((name) => [`DyingCgroups ${idOf(name)}`, `MemoryAvailable ${idOf(name)}`])
        .sort(),
    );
    const dying = ofNodes.filter((key) => key.startsWith('Dying')).map((key) => told[key] ?? -1);
    const all = data.find(({ name, set }) => name === 'DyingCgroups' && set !== undefined);
    expect(all?.set).toEqual({
      count: 4,
      sum: dying.reduce((sum, value) => sum + value, 0),
      min: Math.min(...dying),
      max: Math.max(...dying),
    });

    const sent = raised();
    const ids = sent.map(({ payload }) => String(payload.instanceId));
    const faulty = ['v2-zombies', 'v1-zombies', 'v2-nothing'].map(idOf);
    expect(new Set(ids).size).toBe(2);
    const [left = '', ...others] = faulty.filter((id) => !ids.includes(id));
    expect(others).toEqual([]);
    for (const id of ids) {
      expect(told[`DyingCgroups ${id}`]).toBeGreaterThanOrEqual(told[`DyingCgroups ${left}`] ?? 0);
    }
    for (const one of sent) {
      expect(one).toMatchObject({
        source: 'census',
        payload: { cluster: 'looked', cause: 'dying-memcgs', at: looks[0]?.startedAt },
      });
    }
    expect(messages).toEqual([]);
    const log = readFileSync(join(home, 'functions.log'), 'utf8');
    expect(log).toContain('nodes did not answer the census');
    expect(log).toContain(idOf('mute'));
  });

  it('does not raise a node again before it has cooled down, and then has room for the next', async () => {
    await take('looked', 'quick');

    expect(figures(engine.cloud.metrics.splice(0), 'looked')).toMatchObject({
      NodesOverThreshold: 3,
      NodesRaised: 1,
      NodesHeldBack: 0,
    });
    expect(raised()).toHaveLength(1);
    await take('looked', 'quick');

    expect(figures(engine.cloud.metrics.splice(0), 'looked')).toMatchObject({
      NodesOverThreshold: 3,
      NodesRaised: 0,
      NodesHeldBack: 0,
    });
    expect(raised()).toEqual([]);
  });

  it('says of a cluster without nodes that it has none, and nothing of thresholds', async () => {
    await take('empty', 'quick');

    expect(figures(engine.cloud.metrics.splice(0), 'empty')).toEqual({
      CensusRuns: 1,
      Nodes: 0,
      NodesAnswered: 0,
    });
  });

  it('refuses a cluster that is not configured', async () => {
    await expect(
      engine.functions.invoke('CgroupMedic-census-start', { cluster: 'unknown', profile: 'quick' }),
    ).rejects.toThrow(/not configured/);
    expect(engine.cloud.queues.take(intake)).toEqual([]);
  });
});

describe('the weekly census of a cluster', () => {
  it('reports, and raises and publishes nothing', async () => {
    const took = take('looked', 'full');
    await took;

    expect(engine.cloud.metrics.splice(0)).toEqual([]);
    expect(raised()).toEqual([]);
    const [report, ...more] = messages.splice(0).map(({ message }) => JSON.parse(message));
    expect(more).toEqual([]);
    expect(report).toMatchObject({ kind: 'fleet-report' });
    expect(report.title).toMatch(/^looked: weekly report, \d+ findings, 4 of 6 nodes answered$/);
    expect(report.text).toContain('Of the other 2 nothing is known');
    expect(report.text).toMatch(/cgroup v1 owns memory, on 1 node /);
    expect(report.text).toContain(idOf('v1-zombies'));
  });
});

it('no call was made that the local cloud does not know', () => {
  expect(engine.cloud.unanswered).toEqual([]);
});
