import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterTag } from '../../lambdas/adapters/instance-cluster.ts';
import { SecondLookStore } from '../../lambdas/adapters/second-look-store.ts';
import { CensusRun, lookSeconds } from '../../lambdas/domain/census/run.ts';
import type { DueLook } from '../../lambdas/domain/census/second-look.ts';
import { Settings } from '../../lambdas/domain/settings.ts';
import type { Datum } from '../../local/cloud/cloudwatch.ts';
import type { Published } from '../../local/cloud/sns.ts';
import type { ManagedNode } from '../../local/cloud/ssm.ts';
import { type Engine, startEngine } from '../../local/engine/engine.ts';
import { openNode } from '../../local/local-node.ts';
import { localSettings } from '../../local/local-settings.ts';
import { testStack } from './test-engine.ts';

const census = { raiseAtMost: 2, nodeMetrics: ['dying', 'availableKb'] as const };
const cluster = localSettings({ mode: 'observe', recorded: true }).clusters.local;
const treating = localSettings({
  mode: 'auto',
  recorded: true,
  cluster: { verification: { windowSeconds: 2, samples: 5 } },
}).clusters.local;
const settings = Settings.parse({
  ...localSettings({ mode: 'observe' }),
  clusters: {
    looked: { ...cluster, census },
    other: cluster,
    empty: cluster,
    slow: cluster,
    repeated: cluster,
    cured: treating,
  },
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
  // Synthesis, where nothing is kept of it.
}, 240_000);

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

/** The queue of a function of the census, as all of them know it. */
function queueIn(variable: 'CENSUS_QUEUE_URL' | 'CENSUS_ENDS_QUEUE_URL'): string {
  const read = engine.stack.functions.find(({ name }) => name.endsWith('-census-read'));
  return read?.environment[variable] ?? '';
}

async function begin(name: string, profile: 'quick' | 'full'): Promise<CensusRun> {
  await engine.functions.invoke('CgroupMedic-census-start', { cluster: name, profile });
  const [first, ...more] = waiting();
  if (first === undefined || more.length > 0) throw new Error('expected one message');
  return first;
}

/** The looks that are to come, taken out of their queue. */
function waiting(): CensusRun[] {
  return engine.cloud.queues.take(queueIn('CENSUS_QUEUE_URL')).map(({ body, delaySeconds }) => {
    expect([0, lookSeconds]).toContain(delaySeconds);
    return CensusRun.parse(JSON.parse(body));
  });
}

/** One look, and what it hands over to be closed. */
async function look(run: CensusRun): Promise<void> {
  const event = (body: string) => ({ Records: [{ messageId: 'm', body }] });
  await engine.functions.invoke('CgroupMedic-census-read', event(JSON.stringify(run)));
  for (const { body } of engine.cloud.queues.take(queueIn('CENSUS_ENDS_QUEUE_URL'))) {
    await engine.functions.invoke('CgroupMedic-census-close', event(body));
  }
}

/** One run from the clock to its end, as the queue would deliver it, but for the waiting. */
async function take(name: string, profile: 'quick' | 'full'): Promise<CensusRun> {
  let run = await begin(name, profile);
  for (let tries = 0; tries < 100; tries += 1) {
    await look(run);
    const [next] = waiting();
    // This look has closed it.
    if (next === undefined) return run;
    run = next;
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
    const { startedAt } = await take('looked', 'quick');

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
        payload: { cluster: 'looked', cause: 'dying-memcgs', at: startedAt },
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
    await take('looked', 'full');

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

describe('a look of the census', () => {
  it('waits for nodes that are still at it, and closes with what it has when the time is over', async () => {
    await attach('v2-zombies', 'slow', 'quick-one');
    const endless: ManagedNode = {
      ...unanswering('slow-one'),
      tags: { [clusterTag]: 'slow' },
      // Until the cloud is closed.
      run: (_content, _parameters, signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
    };
    engine.cloud.ssm.attach(endless);
    let run = await begin('slow', 'quick');
    for (let tries = 0; tries < 60 && run.answered.length === 0; tries += 1) {
      await sleep(500);
      await look(run);
      const [next, ...more] = waiting();
      expect(more).toEqual([]);
      if (next === undefined) throw new Error('the run was closed while a node was at it');
      run = next;
    }

    expect(run.answered).toEqual([idOf('quick-one')]);
    expect(figures(engine.cloud.metrics.splice(0), 'slow')).not.toHaveProperty('CensusRuns');
    expect(raised()).toEqual([]);
    const longAgo = new Date(Date.now() - 11 * 60_000).toISOString();
    await look({ ...run, startedAt: longAgo });

    expect(waiting()).toEqual([]);
    expect(figures(engine.cloud.metrics.splice(0), 'slow')).toMatchObject({
      Nodes: 2,
      NodesAnswered: 1,
      NodesOverThreshold: 1,
      NodesRaised: 1,
    });
    expect(raised()).toHaveLength(1);
    engine.cloud.ssm.detach(endless.instanceId);
  });

  it('that is delivered twice raises the same nodes in the same words', async () => {
    await attach('v2-zombies', 'repeated', 'repeated-one');
    const run = await take('repeated', 'quick');
    const [first] = raised();
    await look(run);
    const [second, ...more] = raised();

    expect(waiting()).toEqual([]);
    expect(more).toEqual([]);
    expect(first?.payload).toMatchObject({ instanceId: idOf('repeated-one') });
    expect(second?.payload).toEqual(first?.payload);
    engine.cloud.metrics.splice(0);
  });

  it('that nobody can read is an error, not an empty run', async () => {
    const event = { Records: [{ messageId: 'm', body: '{"version":1}' }] };

    for (const name of ['read', 'close']) {
      await expect(engine.functions.invoke(`CgroupMedic-census-${name}`, event)).rejects.toThrow();
    }
    expect(engine.cloud.metrics).toEqual([]);
  });

  it('of a node that has been looked at for a day has more to read than a list of answers shows', async () => {
    const opened = await openNode({ name: 'v2-zombies', id: 'long', directory: home });
    const root = opened.root ?? '';
    const boot = readFileSync(join(root, 'proc/sys/kernel/random/boot_id'), 'utf8').trim();
    const now = Math.floor(Date.now() / 1000);
    const samples = Array.from(
      { length: 96 },
      (_, index) => `${boot} ${now - (97 - index) * 900} 812 4000 null 12345678 234567 34567\n`,
    );
    mkdirSync(join(root, 'var/lib/cgroup-medic/evidence'), { recursive: true });
    writeFileSync(join(root, 'var/lib/cgroup-medic/evidence/history'), samples.join(''));
    const document = engine.stack.documents.find(({ name }) => name.includes('collectevidence'));
    const { stdout } = await opened.managed.run(
      document?.content as never,
      { profile: 'quick', windowSeconds: '1' },
      new AbortController().signal,
    );
    await opened.close();

    // ListCommandInvocations gives 2,500 characters, GetCommandInvocation 24,000.
    expect(stdout.length).toBeGreaterThan(2500);
    expect(stdout.length).toBeLessThan(24_000);
  });
});

describe('a provisional cure', () => {
  const table = () => engine.stack.functions[0]?.environment.STATE_TABLE ?? '';
  const store = () => new SecondLookStore(engine.cloud.dynamo, table());
  const inADay = () => new Date(Date.now() + 25 * 3_600_000);
  const instanceId = idOf('cured-one');

  it('is left for the census to look at again, a day later', async () => {
    await attach('v2-zombies', 'cured', 'cured-one');
    const at = new Date().toISOString();
    const alarm = { source: 'by-hand', id: 'try', at, cluster: 'cured', instanceId };
    const { status } = await engine.execute({ name: 'cured-incident', input: alarm });

    expect(status).toBe('SUCCEEDED');
    expect(await store().due('cured', new Date())).toEqual(new Map());
    expect((await store().due('cured', inADay())).get(instanceId)).toMatchObject({
      incident: 'cured-incident',
      cause: 'dying-memcgs',
      treatment: 'reclaim',
      signal: 'dying',
    });
    // A whole incident, with the waits of a local run, on a machine that may be busy.
  }, 240_000);

  it.each([
    ['holds', { atMost: 1_000_000, level: 1_000_000 }, 0, 0],
    ['has come back', { atMost: 0, level: 0 }, 1, 0],
    ['cannot be seen by a quick look', { signal: 'kubeletRssKb', level: 1, atMost: 2 }, 0, 1],
  ] as const)('that %s is told of, or examined, once', async (_, change, told, examined) => {
    const due: DueLook = {
      at: new Date().toISOString(),
      cause: 'dying-memcgs',
      treatment: 'reclaim',
      signal: 'dying',
      incident: 'cured-incident',
      ...change,
    };
    await store().remember('cured', instanceId, due);
    messages.splice(0);
    await take('cured', 'quick');

    const calls = messages.splice(0).map(({ message }) => JSON.parse(message));
    expect(calls).toHaveLength(told);
    for (const call of calls) {
      expect(call).toMatchObject({ kind: 'call-a-person', incident: 'cured-incident' });
      expect(call.title).toContain('is in doubt');
    }
    const looks = raised().filter(({ payload }) => String(payload.reason).startsWith('second look'));
    expect(looks).toHaveLength(examined);
    expect(await store().due('cured', inADay())).toEqual(new Map());
    engine.cloud.metrics.splice(0);
  });

  it('of a node that is gone is forgotten, and of one that does not answer told after a day', async () => {
    const due: DueLook = {
      at: new Date(Date.now() - 25 * 3_600_000).toISOString(),
      cause: 'dying-memcgs',
      treatment: 'reclaim',
      signal: 'dying',
      level: 1,
      incident: 'cured-incident',
    };
    const silent = { ...unanswering('silent-one'), tags: { [clusterTag]: 'cured' }, registered: false };
    const waitedFor = idOf('waited-for');
    engine.cloud.ssm.attach(silent);
    engine.cloud.ssm.attach({ ...silent, instanceId: waitedFor });
    await store().remember('cured', idOf('gone-one'), due);
    await store().remember('cured', silent.instanceId, due);
    await store().remember('cured', waitedFor, { ...due, at: new Date().toISOString() });
    messages.splice(0);
    await take('cured', 'quick');

    const [call, ...more] = messages.splice(0).map(({ message }) => JSON.parse(message));
    expect(more).toEqual([]);
    expect(call.title).toContain(silent.instanceId);
    expect(call.text).toContain('the node has not answered the census for a day');
    expect([...(await store().due('cured', inADay())).keys()]).toEqual([waitedFor]);
  });
});

it('no call was made that the local cloud does not know', () => {
  expect(engine.cloud.unanswered).toEqual([]);
});
