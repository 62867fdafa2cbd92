import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { killEverywhere } from './killed-run.ts';
import { copyOf, isInstalled, json, type NodeFolder, nodeFolder, smallTree } from './node-folder.ts';
import { runParts } from './shell-parts.ts';
import { runtimeId, type StandInRuntime, standInRuntime, standInRuntimeOf } from './stand-in-runtime.ts';

const parameters = { minAgeSeconds: '3600', maxRemove: '100', incident: 'test-1', fencing: '1' };
const day = 86_400;

type TestNode = NodeFolder & {
  runtime: StandInRuntime;
  prune(changes?: Record<string, string>, env?: Record<string, string>): ReturnType<NodeFolder['run']>;
};
const nodes: TestNode[] = [];
afterAll(() => {
  for (const node of nodes.splice(0)) {
    node.runtime.close();
    node.close();
  }
});

function open(): TestNode {
  const node = nodeFolder(smallTree);
  const opened = testNode(node, standInRuntime(node.root));
  nodes.push(opened);
  return opened;
}

function testNode(node: NodeFolder, runtime: StandInRuntime): TestNode {
  return {
    ...node,
    runtime,
    prune: (changes = {}, env = {}) => node.run('prune-containers', { ...parameters, ...changes }, env),
  };
}

const id = runtimeId;
/** Three restarts of one container, its running successor, and what else is on a node. */
function fill({ runtime }: TestNode) {
  runtime.add(
    { id: id('old'), createdSecondsAgo: 5 * day },
    { id: id('oldest'), createdSecondsAgo: 9 * day },
    { id: id('last'), createdSecondsAgo: 2 * day },
    { id: id('now'), createdSecondsAgo: day, state: 'RUNNING' },
    { id: id('init'), name: 'init', createdSecondsAgo: 9 * day },
    { id: id('other'), sandbox: id('sandbox 2'), createdSecondsAgo: 9 * day },
    { id: id('made'), name: 'made', createdSecondsAgo: 9 * day, state: 'CREATED' },
    { id: id('made 2'), name: 'made', createdSecondsAgo: 8 * day, state: 'CREATED' },
    { id: id('lost'), name: 'lost', createdSecondsAgo: 9 * day, state: 'UNKNOWN' },
    { id: id('lost 2'), name: 'lost', createdSecondsAgo: 8 * day, state: 'UNKNOWN' },
  );
}

describe.concurrent('prune-containers', () => {
  it('removes exited ones, oldest first, and leaves the newest of each name in each sandbox', async () => {
    const node = open();
    fill(node);
    const result = await node.prune();

    expect(result.status).toBe('Success');
    expect(json(result)).toEqual({
      version: 1,
      document: 'prune-containers',
      changed: true,
      dryRun: false,
      before: { running: 1, exited: 5, other: 4 },
      after: { running: 1, exited: 3, other: 4 },
      changes: [
        { kind: 'container', subject: id('oldest'), from: 'exited (shop/web-1/app)', to: 'removed' },
        { kind: 'container', subject: id('old'), from: 'exited (shop/web-1/app)', to: 'removed' },
      ],
      changesLeftOut: 0,
      refusals: [],
      refusalsLeftOut: 0,
      undo: null,
      keptNewest: 3,
      keptRecent: 0,
      unreadable: 0,
      stopped: 'done',
    });
    const options = '--timeout 30s --runtime-endpoint unix:///run/containerd/containerd.sock';
    expect(node.runtime.calls()).toEqual([
      `crictl ${options} rm ${id('oldest')}`,
      `crictl ${options} rm ${id('old')}`,
    ]);
    expect(result.stdout).not.toContain('hush');
  });

  it('predicts the same in a dry run, changes nothing, and does nothing the second time', async () => {
    const node = open();
    fill(node);
    const ids = node.runtime.ids();
    const dry = json(await node.prune({ dryRun: 'true' }));
    const idsThen = node.runtime.ids();
    const real = json(await node.prune());
    const again = await node.prune();

    expect(dry).toMatchObject({ changed: false, dryRun: true, after: dry.before });
    expect(idsThen).toEqual(ids);
    expect([dry.changes, dry.refusals]).toEqual([real.changes, real.refusals]);
    expect(again.status).toBe('Success');
    expect(json(again)).toMatchObject({ changed: false, changes: [], refusals: [] });
  });

  it('looks again right before, and leaves what is not what the list said', async () => {
    const node = open();
    const old = { createdSecondsAgo: 9 * day };
    node.runtime.add(
      { id: id('a'), ...old, inspected: { state: 'CONTAINER_RUNNING' } },
      { id: id('b'), ...old, inspected: { id: id('x') } },
      { id: id('c'), ...old, inspected: { finishedAt: '1970-01-01T00:00:00Z' } },
      { id: id('d'), ...old, inspected: { finishedAt: '2024-01-01T00:00:00Z; touch /tmp/x' } },
      { id: id('e'), ...old, finishedSecondsAgo: 3000 },
      { id: id('f'), ...old, finishedSecondsAgo: -3000 },
      { id: id('g'), ...old, inspected: { finishedAt: '2024-01-31T23:59:59.5+05:30' } },
      { id: id('h'), ...old, createdSecondsAgo: day },
    );
    const dry = json(await node.prune({ dryRun: 'true' }));
    const result = json(await node.prune());
    const reasons = Object.fromEntries(
      result.refusals.map(({ subject, reason }: { subject: string; reason: string }) => [subject, reason]),
    );

    expect(result.changes.map(({ subject }: { subject: string }) => subject)).toEqual([id('g')]);
    expect(reasons).toEqual({
      [id('a')]: 'it is CONTAINER_RUNNING by now, not exited',
      [id('b')]: 'the runtime does not tell its state',
      [id('c')]: 'the runtime does not tell when it ended',
      [id('d')]: 'the runtime does not tell when it ended',
    });
    expect(result).toMatchObject({ keptRecent: 2, keptNewest: 1 });
    expect([dry.changes, dry.refusals]).toEqual([result.changes, result.refusals]);
  });

  it('takes no text for structure', async () => {
    const node = open();
    const hostile = [
      '"}, {"id": "',
      '\\',
      '\\"',
      '"]}',
      '\n\t\u0001',
      '{{',
      '$(touch x)',
      'é\u202e',
      `"state": "CONTAINER_EXITED", "id": "${id('now')}"`,
      '\\\\"',
    ];
    const annotations = Object.fromEntries(hostile.map((text, index) => [`${text}${index}`, text]));
    hostile.forEach((name, index) => {
      node.runtime.add(
        { id: id(`first ${index}`), name, createdSecondsAgo: 9 * day, annotations },
        { id: id(`second ${index}`), name, createdSecondsAgo: 8 * day, annotations },
      );
    });
    node.runtime.add({ id: id('now'), state: 'RUNNING', createdSecondsAgo: 9 * day, annotations });
    const result = json(await node.prune());

    expect(result.changes.map(({ subject }: { subject: string }) => subject).sort()).toEqual(
      hostile.map((_, index) => id(`first ${index}`)).sort(),
    );
    expect(result).toMatchObject({ before: { running: 1, exited: 20, other: 0 }, unreadable: 0 });
    expect(result.changes.every(({ from }: { from: string }) => from === 'exited (?)')).toBe(true);
  });

  it('never names to the runtime what is not an id', async () => {
    const node = open();
    const ids = [
      '-f',
      `${id('a')} -f`,
      `${id('a').slice(1)}`,
      `${id('a')}a`,
      id('a').toUpperCase(),
      '$(id)',
      '',
    ];
    node.runtime.say(
      JSON.stringify({
        containers: ids.flatMap((text) =>
          [1, 2].map((second) => ({
            id: text,
            podSandboxId: id('sandbox'),
            metadata: { name: 'app' },
            state: 'CONTAINER_EXITED',
            createdAt: `${second}600000000000000000`,
          })),
        ),
      }),
    );
    const result = json(await node.prune());

    expect(result).toMatchObject({
      changed: false,
      changes: [],
      before: { exited: 0 },
      unreadable: 2 * ids.length,
    });
    expect(node.runtime.calls()).toEqual([]);
  });

  it.each([
    ['nothing', ''],
    ['half of it', '{"containers": [{"id": "a'],
    ['no end', '{"containers": []'],
    ['two of them', '{"containers": []} {"containers": []}'],
    ['something else', 'FATA[0000] connect: no such file'],
    ['the wrong bracket', '{"containers": [}'],
    ['a bare list', '[]x'],
  ])('refuses when the runtime prints %s', async (_, text) => {
    const node = open();
    node.runtime.say(text);
    const result = await node.prune();

    expect(result.status).toBe('Failed');
    expect(json(result).error).toContain('does not list its containers');
  });

  it('takes an empty list for what it is', async () => {
    const [one, two] = [open(), open()];
    one.runtime.say('{}\n');
    two.runtime.say('{\n  "containers": []\n}\n');

    for (const node of [one, two]) {
      expect(json(await node.prune())).toMatchObject({
        changed: false,
        before: { running: 0, exited: 0, other: 0 },
      });
    }
  });

  it('stops at its limit, and says so', async () => {
    const node = open();
    for (let n = 0; n < 14; n++)
      node.runtime.add({ id: id(`n${n}`), createdSecondsAgo: (20 - n) * day, name: 'app' });
    const dry = json(await node.prune({ maxRemove: '10', dryRun: 'true' }));
    const result = json(await node.prune({ maxRemove: '10' }));

    expect(result.changes).toHaveLength(10);
    expect(result).toMatchObject({ stopped: 'limit', after: { exited: 4 } });
    expect(dry.changes).toEqual(result.changes);
  });

  it('leaves a runtime alone that fails to remove', async () => {
    const node = open();
    fill(node);
    for (let n = 0; n < 5; n++) node.runtime.add({ id: id(`n${n}`), createdSecondsAgo: 10 * day + n });
    node.runtime.fail('rm');
    const result = await node.prune();

    expect(result.status).toBe('Failed');
    expect(json(result).error).toMatch(
      /^no container could be removed: [0-9a-f]{64}: the runtime did not remove it: Failed to rm: stand-in/,
    );
    expect(node.runtime.calls()).toHaveLength(3);
  });

  it('gives up on a runtime that does not answer', { timeout: 60_000 }, async () => {
    const node = open();
    node.runtime.hang('ps');
    const started = Date.now();
    const result = await node.prune();

    expect(json(result).error).toContain('does not list its containers within 30 s');
    expect(Date.now() - started).toBeLessThan(50_000);
  });

  it('refuses a node without crictl, or without a runtime, and uses what is configured otherwise', async () => {
    const [bare, noSocket] = [open(), open()];
    rmSync(join(bare.root, 'usr/bin/crictl'));
    rmSync(join(noSocket.root, 'run/containerd/containerd.sock'));

    expect(json(await bare.prune()).error).toBe(
      'crictl is missing on this node: exited containers are removed through it',
    );
    expect(json(await noSocket.prune()).error).toMatch(/^no container runtime: neither/);
    mkdirSync(join(noSocket.root, 'etc'), { recursive: true });
    noSocket.write('etc/crictl.yaml', 'runtime-endpoint: unix:///run/other.sock\n');
    expect(json(await noSocket.prune())).toMatchObject({ changed: false });
  });

  it('stays within its output on a node with many of them', { timeout: 120_000 }, async () => {
    const node = open();
    for (let n = 0; n < 150; n++)
      node.runtime.add({ id: id(`n${n}`), createdSecondsAgo: 20 * day + n, name: 'a'.repeat(63) });
    const result = await node.prune({ maxRemove: '200', dryRun: 'true' });

    expect(result.stdout.length).toBeLessThan(20_000);
    expect(json(result).changes.length + json(result).changesLeftOut).toBe(149);
  });
});

describe('killed between any two commands', () => {
  it('prune-containers has removed nothing but what it may, and the next one goes on', {
    timeout: 300_000,
  }, async () => {
    const start = open();
    fill(start);
    const before = start.runtime.ids();
    const { outcomes } = await killEverywhere({
      open: () => {
        const copy = copyOf(start);
        return testNode(copy, standInRuntimeOf(copy.root));
      },
      run: (node, env) => node.prune({}, env),
      look: async (node) => {
        const gone = before.filter((one) => !node.runtime.ids().includes(one));
        const again = json(await node.prune());
        return { gone: gone.sort(), left: node.runtime.ids().length, error: again.error };
      },
    });
    const may = [[], [id('oldest')], [id('oldest'), id('old')].sort()];

    for (const gone of may) expect(outcomes.map((outcome) => outcome.gone)).toContainEqual(gone);
    for (const { gone, left, error } of outcomes) {
      expect(may).toContainEqual(gone);
      expect([left, error]).toEqual([8, undefined]);
    }
  });
});

describe.each(['gawk', 'mawk', 'busybox awk'])('the list of containers, read by %s', (awk) => {
  it.skipIf(!isInstalled(awk.split(' ')[0] ?? awk))('is the same', () => {
    const node = open();
    fill(node);
    const wrapped = `awk() { ${awk} "$@"; }; CRICTL=("$CGROUP_MEDIC_ROOT/usr/bin/crictl"); list_containers`;
    const { stdout, status } = runParts(['json-reader', 'systemd', 'cri'], wrapped, { root: node.root });
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));

    expect(status).toBe(0);
    expect(lines).toHaveLength(10);
    expect(lines.at(-1)?.slice(1)).toEqual([
      id('now'),
      'CONTAINER_RUNNING',
      id('sandbox'),
      'app',
      'shop/web-1',
    ]);
  });
});
