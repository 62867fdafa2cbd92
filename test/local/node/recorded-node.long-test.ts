import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { readEvidence } from '../../../lambdas/domain/evidence/read-evidence.ts';
import {
  describeRecordedNode,
  listRecordedNodes,
  openRecordedNode,
  type RecordedNode,
  recordedTree,
} from '../../../local/node/recorded-node.ts';
import { Tree } from '../../../local/node/recorded-tree.ts';
import { loadDocument } from '../../../ssm-documents/load.ts';

const open: RecordedNode[] = [];
afterEach(async () => {
  for (const node of open.splice(0)) await node.close();
});

async function node(name: string): Promise<RecordedNode> {
  const opened = await openRecordedNode(name);
  open.push(opened);
  return opened;
}

async function dying(on: RecordedNode): Promise<number> {
  const { stdout } = await on.run({
    content: loadDocument('collect-evidence').content,
    parameters: { windowSeconds: '0', profile: 'quick' },
  });
  const read = readEvidence(stdout);
  if (!read.ok || read.evidence.probes.cgroups.status !== 'ok') throw new Error(stdout);
  return read.evidence.probes.cgroups.value.dying;
}

const reclaim = (on: RecordedNode) =>
  on.run({
    content: loadDocument('reclaim').content,
    parameters: {
      slices: '/user.slice /system.slice',
      incident: 'i',
      fencing: '1',
      cpuPercent: '50',
      maxSeconds: '30',
    },
  });

describe('the recorded nodes', () => {
  it('are these', () => {
    expect(listRecordedNodes()).toEqual([
      'agent-memory',
      'cpu-quota',
      'dead-containers',
      'garbage',
      'healthy',
      'kubelet-leak',
      'kubelet-oom-cycle',
      'leaked-scopes',
      'memcg-ids',
      'oversubscribed',
      'reclaim-pressure',
      'silent',
      'silent-notready',
      'v1-logins',
      'v1-zombies',
      'v2-growing',
      'v2-nothing',
      'v2-partly',
      'v2-trend',
      'v2-worse',
      'v2-zombies',
      'workload-leak',
    ]);
  });

  it('are named when another is asked for', async () => {
    await expect(openRecordedNode('v3')).rejects.toThrow(
      'unknown recorded node "v3": use one of agent-memory, cpu-quota',
    );
  });

  it.each(listRecordedNodes())('%s says what it is and holds what it says', (name) => {
    const { title, provenance, holders, hierarchy } = describeRecordedNode(name);
    const tree = recordedTree(name);
    const claimed = holders.reduce((sum, holder) => sum + holder.dying, 0);

    expect(title && provenance).toBeTruthy();
    if (hierarchy === 'v2')
      expect(tree['sys/fs/cgroup/cgroup.stat']).toContain(`nr_dying_descendants ${claimed}\n`);
    else {
      const directories = new Set(
        Object.keys(tree).flatMap((path) => /^(sys\/fs\/cgroup\/memory.*)\/[^/]+$/.exec(path)?.[1] ?? []),
      );
      expect(tree['proc/cgroups']).toMatch(
        new RegExp(`^memory\\t\\d+\\t${directories.size + claimed}\\t`, 'm'),
      );
    }
  });

  it('leaves nothing behind', async () => {
    const opened = await openRecordedNode('healthy');
    await opened.close();

    expect(existsSync(opened.root)).toBe(false);
  });
});

it.each(['/etc/passwd', '../x', 'a/../../x', 'a/..', ''])('a tree has no file %j', (path) => {
  expect(Tree.safeParse({ [path]: '' }).success).toBe(false);
});

describe('a reclaim', () => {
  it.each([
    ['v2-zombies', 4600, 0, 300],
    ['v1-zombies', 5800, 0, 600],
    ['v2-partly', 4600, 1500, 2300],
    ['v2-nothing', 4600, 4600, 4600],
    ['v2-worse', 4600, 4700, 6000],
  ])('on %s brings %i down to between %i and %i', async (name, before, least, most) => {
    const on = await node(name);
    expect(await dying(on)).toBe(before);
    expect((await reclaim(on)).status).toBe('Success');
    const after = await dying(on);

    expect(after).toBeGreaterThanOrEqual(least);
    expect(after).toBeLessThanOrEqual(most);
  });

  it('on v2-growing brings the level down and leaves the producer', async () => {
    const on = await node('v2-growing');
    await reclaim(on);
    const first = await dying(on);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const second = await dying(on);

    expect(first).toBeLessThan(2000);
    expect(second - first).toBeGreaterThanOrEqual(20);
  });
});

describe('lingering on v1-logins', () => {
  const linger = (on: RecordedNode, name: string, users?: string) =>
    on.run({
      content: loadDocument(name).content,
      parameters: { incident: 'i', ...(users === undefined ? {} : { users, fencing: '1' }) },
    });
  const growth = async (on: RecordedNode): Promise<number> => {
    const first = await dying(on);
    await sleep(1500);
    return (await dying(on)) - first;
  };

  it('ends what logins leave, until it is taken back', async () => {
    const on = await node('v1-logins');
    expect(await growth(on)).toBeGreaterThanOrEqual(8);
    expect((await linger(on, 'enable-linger', 'deploy')).status).toBe('Success');
    // The model's next tick.
    await sleep(500);
    expect(await growth(on)).toBe(0);
    expect((await linger(on, 'disable-linger')).status).toBe('Success');
    await sleep(500);
    expect(await growth(on)).toBeGreaterThanOrEqual(8);
  });
});

describe('a node that cannot be relied on', () => {
  it('silent: never answers, until it is cancelled', async () => {
    const on = await node('silent');
    const stop = new AbortController();
    const running = on.run({
      content: loadDocument('collect-evidence').content,
      // On any other node this takes a fraction of a second.
      parameters: { windowSeconds: '0', profile: 'quick' },
      signal: stop.signal,
    });
    const first = await Promise.race([
      running.then(() => 'answered'),
      new Promise((resolve) => setTimeout(() => resolve('silent'), 3000)),
    ]);
    stop.abort();

    expect(first).toBe('silent');
    expect((await running).status).toBe('Cancelled');
  });

  it('garbage: prints what is not evidence', async () => {
    const { stdout } = await (await node('garbage')).run({
      content: loadDocument('collect-evidence').content,
      parameters: {},
    });

    expect(readEvidence(stdout).ok).toBe(false);
  });
});
