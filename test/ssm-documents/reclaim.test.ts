import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { recordedTree } from '../../local/node/recorded-node.ts';
import type { Tree } from '../../local/node/recorded-tree.ts';
import {
  cgroup,
  json,
  type NodeFolder,
  nodeFolder,
  reclaimParameters,
  smallTree,
  stalled,
} from './node-folder.ts';

const medic = 'var/lib/cgroup-medic';
const state = `${medic}/reclaim`;
const nodes: NodeFolder[] = [];
const folder = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-reclaim-'));
// Not after each: these tests spend their time waiting, so they run at the same time.
afterAll(() => {
  for (const node of nodes.splice(0)) node.close();
  rmSync(folder, { recursive: true, force: true });
});

function open(tree: Tree = smallTree): NodeFolder {
  const node = nodeFolder(tree);
  nodes.push(node);
  return node;
}

function leave(node: NodeFolder, incident: string, saved: string) {
  mkdirSync(join(node.root, state, incident), { recursive: true });
  node.write(`${state}/${incident}/saved`, saved);
}
const boot = 'boot 00000000-0000-4000-8000-000000000001\nrun x\n';

/** The environment in which bash runs `action` just before the document's first command of this pattern. */
function actBefore(command: string, action: string): Record<string, string> {
  const file = join(mkdtempSync(join(folder, 'hook-')), 'hook.sh');
  writeFileSync(
    file,
    `[[ "$0" == *_script_0.sh ]] || return 0
set -o functrace
hook() { ${action}; }
trap 'if [[ "$BASH_COMMAND" == ${command.replaceAll(' ', '\\ ')} ]]; then trap - DEBUG; hook; fi' DEBUG
`,
  );
  return { BASH_ENV: file };
}

/** `expect.poll` needs to know its test, and here several run at the same time. */
function until(condition: () => boolean): Promise<unknown> {
  return vi.waitUntil(condition, { timeout: 10_000, interval: 20 });
}

/** Waits until the run has raised protections; with a low ceiling it then rests for seconds after its first write. */
async function untilRaised(node: NodeFolder): Promise<void> {
  await until(() => node.lows()['a.slice/plain/memory.low'] !== '0');
}

async function untilWritten(node: NodeFolder): Promise<void> {
  const stat = 'sys/fs/cgroup/a.slice/cgroup.stat';
  await until(() => node.read(stat).includes('nr_dying_descendants 45\n'));
}

/** A slice without dying cgroups: a run that is over at once. */
const curedTree: Tree = {
  ...smallTree,
  'sys/fs/cgroup/a.slice/cgroup.stat': 'nr_descendants 4\nnr_dying_descendants 0\n',
};

/** Saved state over a memory.low that reads as raised and takes no write. */
function leaveUnwritable(node: NodeFolder, incident: string) {
  const low = join(node.root, 'sys/fs/cgroup/b.slice/memory.low');
  rmSync(low);
  symlinkSync('/proc/sys/kernel/ostype', low);
  leave(node, incident, `${boot}low 0 Linux /b.slice\n`);
}

describe.concurrent('reclaim on cgroup v2', () => {
  it('frees the dying, those inside a living child too, and gives every protection back', async () => {
    const node = open();
    const before = node.lows();
    // A restore that was killed while it waited for another reclaim leaves this; it was not meant for us.
    mkdirSync(join(node.root, state, 'test-1'), { recursive: true });
    node.write(`${state}/test-1/stop`, '');
    const running = node.run('reclaim', reclaimParameters);
    const raised: Record<string, string>[] = [];
    let ended = false;
    running.finally(() => {
      ended = true;
    });
    while (!ended) {
      raised.push(node.lows());
      await sleep(50);
    }
    const result = await running;

    expect(json(result)).toMatchObject({
      changed: true,
      dryRun: false,
      hierarchy: 'v2',
      before: { dying: 900 },
      after: { dying: 45 },
      slices: [
        {
          path: '/a.slice',
          before: { dying: 900, ghostKb: 4600 },
          after: { dying: 45 },
          stopped: expect.stringMatching(/budget|no-progress/),
        },
      ],
      protection: { raised: 4, restored: 4, skipped: 0 },
      refusals: [],
      undo: null,
    });
    // No more than the dying held at the beginning.
    expect(json(result).slices[0].askedKb).toBeLessThanOrEqual(4600);
    expect(node.lows()).toEqual(before);
    const highest = raised.find((lows) => lows['a.slice/plain/memory.low'] !== '0') ?? {};
    expect(Number(highest['a.slice/plain/memory.low'])).toBeGreaterThan(2 ** 50);
    expect(Number(highest['a.slice/pod/container/memory.low'])).toBeGreaterThan(2 ** 50);
    // Exactly what its living children use: nothing is left to hand down to the dying.
    expect(raised.map((lows) => lows['a.slice/pod/memory.low'])).toContain(String(5000 * 1024));
    expect(existsSync(join(node.root, state, 'test-1/saved'))).toBe(false);
  });

  it('predicts and changes nothing in a dry run', async () => {
    const node = open();
    const before = node.lows();
    const result = await node.run('reclaim', { ...reclaimParameters, dryRun: 'true' });

    expect(json(result)).toMatchObject({
      changed: false,
      dryRun: true,
      protection: { raised: 4 },
      before: { dying: 900 },
      after: { dying: 900 },
    });
    expect(node.lows()).toEqual(before);
    expect(existsSync(join(node.root, 'var'))).toBe(false);
  });

  it('does nothing the second time', async () => {
    const node = open(curedTree);
    const result = await node.run('reclaim', reclaimParameters);

    expect(json(result)).toMatchObject({
      changed: false,
      slices: [{ writes: 0, stopped: 'done' }],
      protection: { raised: 0 },
    });
  });

  it('stops before it begins on a node under memory pressure', async () => {
    const node = open({ ...smallTree, 'proc/pressure/memory': stalled });
    const result = await node.run('reclaim', reclaimParameters);

    expect(json(result)).toMatchObject({
      changed: false,
      slices: [{ writes: 0, stopped: 'pressure' }],
      protection: { raised: 0 },
    });
  });

  it('stops when the writes free nothing', async () => {
    const node = open();
    const knob = join(node.root, 'sys/fs/cgroup/a.slice/memory.reclaim');
    rmSync(knob);
    node.write('sys/fs/cgroup/a.slice/memory.reclaim', '');
    const before = node.lows();
    const result = await node.run('reclaim', reclaimParameters);

    expect(json(result)).toMatchObject({
      slices: [{ writes: 1, stopped: 'no-progress' }],
      undo: null,
      left: { dying: 900 },
    });
    expect(node.lows()).toEqual(before);
  });

  it('stops when the node comes under memory pressure meanwhile, and restores', async () => {
    const node = open();
    const before = node.lows();
    const running = node.run('reclaim', { ...reclaimParameters, cpuPercent: '5' });
    await untilWritten(node);
    node.write('proc/pressure/memory', stalled);
    const result = json(await running);

    expect(result.slices).toMatchObject([{ writes: 1, stopped: 'pressure' }]);
    expect(node.lows()).toEqual(before);
  });

  it.each([
    ['is high', stalled],
    ['cannot be read', ''],
  ])('does not look at the pressure when the limit is off: it %s', async (_, pressure) => {
    const node = open({ ...smallTree, 'proc/pressure/memory': pressure });
    const result = json(await node.run('reclaim', { ...reclaimParameters, psiFullLimit: '0' }));

    expect(result).toMatchObject({ changed: true, after: { dying: 45 } });
  });

  it.each(['true', 'false'])('refuses a pressure limit that it cannot keep (dry run: %s)', async (dryRun) => {
    const node = open({ ...smallTree, 'proc/pressure/memory': '' });
    const before = node.lows();
    const result = await node.run('reclaim', { ...reclaimParameters, dryRun });

    expect(result.status).toBe('Failed');
    expect(json(result).error).toContain('cannot read /proc/pressure/memory, so the pressure limit of 20 %');
    expect(node.lows()).toEqual(before);
  });

  it('stops when its time is over, however much is left', async () => {
    const node = open();
    const before = node.lows();
    const result = json(
      await node.run('reclaim', { ...reclaimParameters, cpuPercent: '1', maxSeconds: '10' }),
    );

    expect(result.slices).toMatchObject([{ stopped: 'time' }]);
    expect(result.wallSeconds).toBeLessThan(20);
    expect(node.lows()).toEqual(before);
  });

  it('asks for no more than the dying still hold when something else frees them, too', async () => {
    const node = open();
    const running = node.run('reclaim', { ...reclaimParameters, cpuPercent: '5' });
    await untilWritten(node);
    // 200 KiB more than the living in it have.
    const bytes = (10_000 + 4000 + 5000 + 200) * 1024;
    node.write('sys/fs/cgroup/a.slice/memory.stat', `file ${bytes}\nshmem 0\n`);
    const result = json(await running);

    expect(result.slices).toMatchObject([{ writes: 2, askedKb: 4096 + 200 }]);
  });

  it('ends a write that blocks, and restores', async () => {
    const node = open();
    const knob = join(node.root, 'sys/fs/cgroup/a.slice/memory.reclaim');
    // Nobody reads this one: to open it for writing never returns.
    renameSync(knob, `${knob}.held`);
    execFileSync('mkfifo', [knob]);
    const before = node.lows();
    const result = await node.run('reclaim', { ...reclaimParameters, maxSeconds: '10' });

    expect(json(result)).toMatchObject({
      slices: [{ writes: 1, stopped: expect.stringMatching(/time|no-progress/) }],
      undo: null,
    });
    expect(node.lows()).toEqual(before);
  });

  it('leaves alone what somebody else has written meanwhile, and survives children that come and go', async () => {
    const node = open();
    const running = node.run('reclaim', reclaimParameters);
    await until(() => node.lows()['a.slice/guarded/memory.low'] !== '1048576');
    node.write('sys/fs/cgroup/a.slice/guarded/memory.low', '777\n');
    rmSync(join(node.root, 'sys/fs/cgroup/a.slice/plain'), { recursive: true });
    mkdirSync(join(node.root, 'sys/fs/cgroup/a.slice/new'));
    node.write('sys/fs/cgroup/a.slice/new/memory.low', '5\n');
    const result = await running;

    expect(result.status).toBe('Success');
    expect(json(result)).toMatchObject({ protection: { raised: 4, restored: 2 }, undo: null });
    expect(node.lows()).toEqual({
      'a.slice/guarded/memory.low': '777',
      'a.slice/memory.low': '0',
      'a.slice/new/memory.low': '5',
      'a.slice/pod/container/memory.low': '65536',
      'a.slice/pod/memory.low': '0',
      'b.slice/memory.low': '0',
    });
  });

  it('raises nothing that somebody else has written between its look and its raise', async () => {
    const node = open();
    const guarded = join(node.root, 'sys/fs/cgroup/a.slice/guarded/memory.low');
    const result = await node.run(
      'reclaim',
      reclaimParameters,
      actBefore('raise_protection', `echo 777 >'${guarded}'`),
    );

    expect(json(result)).toMatchObject({
      protection: { raised: 3, restored: 3, skipped: 1 },
      undo: null,
    });
    expect(node.lows()['a.slice/guarded/memory.low']).toBe('777');
  });

  it('never lowers a protection', async () => {
    const node = open({
      ...smallTree,
      'sys/fs/cgroup/a.slice/plain/memory.low': 'max\n',
      'sys/fs/cgroup/a.slice/guarded/memory.low': '9000000000000000000\n',
    });
    const result = await node.run('reclaim', { ...reclaimParameters, dryRun: 'true' });

    expect(json(result)).toMatchObject({ protection: { raised: 2 } });
  });

  it('keeps what it has saved from the eyes of others', async () => {
    const node = open();
    const running = node.run('reclaim', reclaimParameters);
    await untilRaised(node);
    const modes = ['', 'saved', 'switch.sh'].map(
      (file) => statSync(join(node.root, state, 'test-1', file)).mode & 0o077,
    );
    await running;

    expect(modes).toEqual([0, 0, 0]);
  });

  it('gives everything back when it is asked to end', async () => {
    const node = open();
    const before = node.lows();
    const running = node.run('reclaim', { ...reclaimParameters, cpuPercent: '10' });
    await untilRaised(node);
    const pid = /pid (\d+)/.exec(node.read(`${medic}/lock`))?.[1];
    process.kill(Number(pid), 'SIGTERM');
    const result = await running;

    // At once and by itself: the switch would need a second more.
    expect(node.lows()).toEqual(before);
    expect(result).toMatchObject({ status: 'Failed', responseCode: 143 });
    expect(existsSync(join(node.root, state, 'test-1/saved'))).toBe(false);
  });

  it('stops when its switch has fired, for then nothing is protected any more', async () => {
    const node = open();
    const before = node.lows();
    const running = node.run('reclaim', { ...reclaimParameters, cpuPercent: '5' });
    await untilWritten(node);
    const script = join(node.root, state, 'test-1/switch.sh');
    const copy = join(node.root, 'switch.sh');
    copyFileSync(script, copy);
    execFileSync('bash', [script, 'now']);
    const restored = node.lows();
    const result = json(await running);

    expect(restored).toEqual(before);
    expect(result).toMatchObject({ slices: [{ writes: 1, stopped: 'error' }], undo: null });
    expect(node.lows()).toEqual(before);

    // A switch that comes late leaves alone what another run of the incident has saved.
    node.write('sys/fs/cgroup/b.slice/memory.low', '1125899906842624\n');
    leave(node, 'test-1', `${boot}low 0 1125899906842624 /b.slice\n`);
    execFileSync('bash', [copy, 'now']);
    expect(node.lows()['b.slice/memory.low']).toBe('1125899906842624');
  });

  it('counts what is left only when the count has stopped falling', async () => {
    const node = open();
    const stat = join(node.root, 'sys/fs/cgroup/cgroup.stat');
    const later = `{ sleep 0.5; printf 'nr_descendants 6\\nnr_dying_descendants 7\\n' >'${stat}'; } & true`;
    const result = await node.run('reclaim', reclaimParameters, actBefore('settle', later));

    expect(json(result)).toMatchObject({ after: { dying: 7 }, left: { dying: 7 } });
  });

  it('leaves no lock behind when it is killed: the next run restores first', async () => {
    const node = open();
    const before = node.lows();
    const killed = await node.run('reclaim', reclaimParameters, actBefore('timed_write*', 'kill -KILL 0'));
    const result = await node.run('reclaim', { ...reclaimParameters, incident: 'next' });

    expect(killed.status).toBe('TimedOut');
    expect(json(result)).toMatchObject({ protection: { raised: 4, restored: 4 }, undo: null });
    expect(node.lows()).toEqual(before);
  });

  it('says how to undo what it could not restore, goes no further, and its switch tries again', async () => {
    const node = open();
    const original = node.lows();
    const slices = '/a.slice /b.slice';
    const cannotWrite = actBefore('restore_saved false', 'write_value() { return 1; }');
    const result = json(await node.run('reclaim', { ...reclaimParameters, slices }, cannotWrite));

    expect(result).toMatchObject({
      protection: { raised: 4, restored: 0 },
      slices: [{ path: '/a.slice' }],
      refusals: [
        { slice: '/b.slice', reason: 'the protections of the slice before it could not be restored' },
      ],
      undo: { document: 'reclaim-restore', parameters: { incident: 'test-1' } },
    });
    await until(() => JSON.stringify(node.lows()) === JSON.stringify(original));
  });

  it('does not begin over protections of an earlier run that it cannot restore', async () => {
    const node = open();
    leaveUnwritable(node, 'other');
    const before = node.lows();
    const result = await node.run('reclaim', reclaimParameters);

    expect(result.status).toBe('Failed');
    expect(json(result).error).toContain('could not restore what an earlier reclaim raised: 1 left');
    expect(node.lows()).toEqual(before);
  });

  it('first restores what a killed run left, so that raised values are never saved as originals', async () => {
    const node = open();
    const before = node.lows();
    node.write('sys/fs/cgroup/b.slice/memory.low', '1125899906842624\n');
    leave(node, 'other', `${boot}low 0 1125899906842624 /b.slice\n`);
    node.write('sys/fs/cgroup/a.slice/guarded/memory.low', '1125899906908160\n');
    leave(node, 'test-1', `${boot}low 1048576 1125899906908160 /a.slice/guarded\n`);
    const result = await node.run('reclaim', reclaimParameters);

    expect(json(result)).toMatchObject({ protection: { raised: 4, restored: 4 } });
    expect(node.lows()).toEqual(before);
    expect(readdirSync(join(node.root, state, 'other'))).toEqual([]);
  });

  it('refuses while another treatment is at work on the node', async () => {
    const node = open();
    const first = node.run('reclaim', { ...reclaimParameters, incident: 'first' });
    await until(() => existsSync(join(node.root, state, 'first/saved')));
    const second = await node.run('reclaim', { ...reclaimParameters, incident: 'second' });
    const dry = await node.run('reclaim', { ...reclaimParameters, incident: 'second', dryRun: 'true' });

    for (const refused of [second, dry]) {
      expect(refused.status).toBe('Failed');
      expect(json(refused).error).toMatch(
        /another treatment is at work on this node \(incident first, pid \d+, reclaim\)/,
      );
    }
    expect((await first).status).toBe('Success');
  });

  it('refuses a fencing number older than one that the node has seen', async () => {
    const node = open();
    mkdirSync(join(node.root, medic), { recursive: true });
    node.write(`${medic}/fencing`, '10 newer\n');

    const late = await node.run('reclaim', { ...reclaimParameters, fencing: '9', dryRun: 'true' });
    const next = await node.run('reclaim', { ...reclaimParameters, fencing: '10', dryRun: 'true' });

    expect(json(late).error).toBe(
      'fencing number 9 is older than 10, which incident newer has used on this node',
    );
    expect(next.status).toBe('Success');
    expect(node.read(`${medic}/fencing`)).toBe('10 newer\n');
  });

  it('counts a fencing number for two hours, whatever happens to the clock', async () => {
    const node = open(curedTree);
    mkdirSync(join(node.root, medic), { recursive: true });
    const runAfter = async (minutes: number) => {
      node.write(`${medic}/fencing`, '10 other\n');
      const then = Date.now() / 1000 - minutes * 60;
      utimesSync(join(node.root, medic, 'fencing'), then, then);
      const { status } = await node.run('reclaim', { ...reclaimParameters, fencing: '1' });
      return [status, node.read(`${medic}/fencing`)];
    };

    expect(await runAfter(119)).toEqual(['Failed', '10 other\n']);
    expect(await runAfter(121)).toEqual(['Success', '1 test-1\n']);
    expect(await runAfter(-121)).toEqual(['Success', '1 test-1\n']);
  });

  it('remembers the fencing number of a run, and refuses an older one', async () => {
    const node = open(curedTree);
    const first = await node.run('reclaim', { ...reclaimParameters, fencing: '7' });
    const late = await node.run('reclaim', { ...reclaimParameters, fencing: '6' });
    const next = await node.run('reclaim', { ...reclaimParameters, fencing: '10' });
    const other = await node.run('reclaim', { ...reclaimParameters, fencing: '9', incident: 'other' });

    expect(first.status).toBe('Success');
    expect(json(late).error).toContain('fencing number 6 is older than 7');
    expect(next.status).toBe('Success');
    expect(json(other).error).toContain('fencing number 9 is older than 10, which incident test-1 has used');
  });

  it('refuses a slice with more living cgroups than it can protect', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 1001 }, (_, n) => [`sys/fs/cgroup/b.slice/c${n}/`, '']),
    );
    const node = open({ ...smallTree, ...many });
    const result = await node.run('reclaim', { ...reclaimParameters, slices: '/b.slice', dryRun: 'true' });

    expect(json(result)).toMatchObject({
      slices: [],
      refusals: [{ slice: '/b.slice', reason: expect.stringContaining('more than 1000 live cgroups') }],
    });
  });

  it('looks at a slice again when its turn comes', async () => {
    const node = open();
    const running = node.run('reclaim', { ...reclaimParameters, slices: '/a.slice /b.slice' });
    await untilRaised(node);
    const slice = join(node.root, 'sys/fs/cgroup/b.slice');
    renameSync(slice, `${slice}.moved`);
    symlinkSync(`${slice}.moved`, slice);

    expect(json(await running)).toMatchObject({
      slices: [{ path: '/a.slice' }],
      refusals: [{ slice: '/b.slice', reason: 'it goes through a symbolic link' }],
    });
  });

  it('names a slice whose name systemd has escaped', async () => {
    const path = String.raw`/a.slice/serial\x2dgetty.slice`;
    const node = open({ ...smallTree, ...cgroup(path, { live: 0, dying: 0, cacheKb: 4 }) });
    const parameters = { ...reclaimParameters, slices: path, dryRun: 'true' };

    expect(json(await node.run('reclaim', parameters)).slices).toMatchObject([{ path }]);
  });

  it('does a slice that is named twice once', async () => {
    const result = await open().run('reclaim', {
      ...reclaimParameters,
      slices: '/b.slice /b.slice',
      dryRun: 'true',
    });

    expect(json(result).slices).toHaveLength(1);
  });

  it('refuses slices that are not plain cgroups below the mount, and does the others', async () => {
    const node = open();
    symlinkSync('/etc', join(node.root, 'sys/fs/cgroup/link'));
    const slices = '/a.slice/../b.slice /link /gone.slice /a.slice/. /b.slice/memory.low /b.slice';
    const result = await node.run('reclaim', { ...reclaimParameters, slices, dryRun: 'true' });

    expect(json(result).refusals).toEqual([
      { slice: '/a.slice/../b.slice', reason: '"." and ".." are not allowed in it' },
      { slice: '/link', reason: 'it goes through a symbolic link' },
      { slice: '/gone.slice', reason: 'it does not exist' },
      { slice: '/a.slice/.', reason: '"." and ".." are not allowed in it' },
      { slice: '/b.slice/memory.low', reason: 'it does not exist' },
    ]);
    expect(json(result).slices.map(({ path }: { path: string }) => path)).toEqual(['/b.slice']);
  });

  it('fails with the reason when it refuses every slice', async () => {
    const result = await open().run('reclaim', { ...reclaimParameters, slices: '/gone.slice' });

    expect(result.status).toBe('Failed');
    expect(json(result)).toEqual({
      version: 1,
      document: 'reclaim',
      error: 'no slice can be reclaimed: /gone.slice: it does not exist',
    });
  });

  it('stays under its CPU ceiling', async () => {
    const result = json(await open().run('reclaim', { ...reclaimParameters, cpuPercent: '5' }));

    expect(result.slices[0].writes).toBeGreaterThan(0);
    expect(result.cpuSeconds / result.wallSeconds).toBeLessThan(0.1);
  });
});

describe.concurrent('reclaim-restore', () => {
  it('restores what was raised, once', async () => {
    const node = open();
    const before = node.lows();
    node.write('sys/fs/cgroup/b.slice/memory.low', '1125899906842624\n');
    leave(node, 'test-1', `${boot}low 0 1125899906842624 /b.slice\nlow 0 1125899906842624 /gone.slice\n`);
    const restore = (dryRun: string) => node.run('reclaim-restore', { incident: 'test-1', dryRun });

    const dry = json(await restore('true'));
    expect(node.lows()).not.toEqual(before);
    const first = json(await restore('false'));
    const second = json(await restore('false'));

    expect(dry).toMatchObject({ changed: false, dryRun: true, restored: 1, remaining: 0 });
    expect(first).toMatchObject({ changed: true, restored: 1, skipped: [], remaining: 0 });
    expect(second).toMatchObject({ changed: false, restored: 0, skipped: [], remaining: 0 });
    expect(node.lows()).toEqual(before);
  });

  it('reports, and leaves, what somebody else has written since', async () => {
    const node = open();
    node.write('sys/fs/cgroup/b.slice/memory.low', '4096\n');
    leave(node, 'test-1', `${boot}low 0 1125899906842624 /b.slice\n`);
    const result = json(await node.run('reclaim-restore', { incident: 'test-1' }));

    expect(result).toMatchObject({
      changed: false,
      restored: 0,
      skipped: [{ path: '/b.slice', reason: expect.stringContaining('4096') }],
    });
    expect(node.lows()['b.slice/memory.low']).toBe('4096');
  });

  it('fails, and keeps what it saved, when a value cannot be written', async () => {
    const node = open();
    leaveUnwritable(node, 'test-1');
    const restore = (dryRun: string) => node.run('reclaim-restore', { incident: 'test-1', dryRun });
    const results = [await restore('false'), await restore('false')];

    for (const result of results) {
      expect(result.status).toBe('Failed');
      expect(json(result)).toMatchObject({ changed: false, restored: 0, remaining: 1 });
    }
  });

  it('prints no more than the service keeps, however much it leaves alone', async () => {
    const paths = Array.from({ length: 300 }, (_, n) => `/${'x'.repeat(100)}${n}`);
    const node = open(
      Object.assign(
        {},
        smallTree,
        ...paths.map((path) => ({ [`sys/fs/cgroup${path}/memory.low`]: '4096\n' })),
      ),
    );
    leave(node, 'test-1', `${boot}${paths.map((path) => `low 0 1125899906842624 ${path}\n`).join('')}`);
    const result = await node.run('reclaim-restore', { incident: 'test-1' });

    expect(json(result).skipped.length).toBeGreaterThan(50);
    expect(result.stdout.length).toBeLessThan(20_000);
  });

  it('does nothing after a restart of the node: the saved state is of another boot', async () => {
    const node = open();
    node.write('sys/fs/cgroup/b.slice/memory.low', '1125899906842624\n');
    leave(node, 'test-1', 'boot another\nrun x\nlow 0 1125899906842624 /b.slice\n');
    const result = json(await node.run('reclaim-restore', { incident: 'test-1' }));

    expect(result).toMatchObject({ changed: false, restored: 0, remaining: 0 });
    expect(node.lows()['b.slice/memory.low']).toBe('1125899906842624');
    expect(existsSync(join(node.root, state, 'test-1/saved'))).toBe(false);
  });

  it('does nothing for an incident it does not know', async () => {
    const result = await open().run('reclaim-restore', { incident: 'unknown' });

    expect(result.status).toBe('Success');
    expect(json(result)).toMatchObject({ changed: false, restored: 0, remaining: 0 });
  });

  it('stops a reclaim of the same incident that is still at work', async () => {
    const node = open();
    const before = node.lows();
    const running = node.run('reclaim', { ...reclaimParameters, cpuPercent: '5' });
    await untilWritten(node);
    const result = await node.run('reclaim-restore', { incident: 'test-1' });

    // It waits for the reclaim, which gives everything back itself.
    expect(json(result)).toMatchObject({ changed: false, restored: 0, remaining: 0 });
    expect(node.lows()).toEqual(before);
    expect(json(await running)).toMatchObject({ slices: [{ writes: 1, stopped: 'error' }], undo: null });
    expect(node.lows()).toEqual(before);
  });

  it('keeps a reclaim that arrives after it from running, however often', async () => {
    const node = open();
    const before = node.lows();
    const dry = await node.run('reclaim-restore', { incident: 'test-1', dryRun: 'true' });
    const untouched = !existsSync(join(node.root, 'var'));
    const undone = await node.run('reclaim-restore', { incident: 'test-1' });
    const late = [
      await node.run('reclaim', { ...reclaimParameters, dryRun: 'true' }),
      await node.run('reclaim', reclaimParameters),
      await node.run('reclaim', { ...reclaimParameters, fencing: '2' }),
    ];
    const other = await node.run('reclaim', { ...reclaimParameters, incident: 'other', dryRun: 'true' });

    expect(dry.status).toBe('Success');
    expect(untouched).toBe(true);
    expect(json(undone)).toMatchObject({ changed: false, restored: 0, remaining: 0 });
    for (const result of late) {
      expect(result.status).toBe('Failed');
      expect(json(result).error).toBe('incident test-1 was undone on this node; it does not run again');
    }
    expect(other.status).toBe('Success');
    expect(node.lows()).toEqual(before);
  });

  it('stops a reclaim that has not raised anything yet', async () => {
    const node = open();
    const before = node.lows();
    const folder = join(node.root, state, 'test-1');
    // What it leaves while it waits for the lock, after the reclaim has looked for it and before that begins.
    const undo = `mkdir -p '${folder}'; touch '${folder}/undone' '${folder}/stop'`;
    const result = json(await node.run('reclaim', reclaimParameters, actBefore('begin_turn', undo)));

    expect(result).toMatchObject({
      changed: false,
      slices: [{ writes: 0, stopped: 'error' }],
      protection: { raised: 0 },
    });
    expect(node.lows()).toEqual(before);
    expect(existsSync(join(folder, 'undone'))).toBe(true);
  });

  it('stops a reclaim for good, not for one slice', async () => {
    const node = open();
    const before = node.lows();
    const running = node.run('reclaim', {
      ...reclaimParameters,
      slices: '/a.slice /b.slice',
      cpuPercent: '5',
    });
    await untilWritten(node);
    const undone = await node.run('reclaim-restore', { incident: 'test-1' });

    expect(undone.status).toBe('Success');
    expect(json(await running).slices).toMatchObject([
      { path: '/a.slice', writes: 1, stopped: 'error' },
      { path: '/b.slice', writes: 0, stopped: 'error' },
    ]);
    expect(node.lows()).toEqual(before);
  });

  it('does not wait for the end of a long rest', async () => {
    const node = open();
    // As if 0.4 s of CPU had been used: under this ceiling a rest of 40 s.
    const busy = actBefore('pace *', 'read_cpu() { CPU_CS=40; }');
    const running = node.run('reclaim', { ...reclaimParameters, cpuPercent: '1', maxSeconds: '60' }, busy);
    await untilWritten(node);
    const started = Date.now();
    await node.run('reclaim-restore', { incident: 'test-1' });
    const seconds = (Date.now() - started) / 1000;

    expect(seconds).toBeLessThan(7);
    expect(json(await running)).toMatchObject({ slices: [{ stopped: 'error' }] });
  });

  it('neither stops nor waits for the reclaim of another incident', async () => {
    const node = open();
    const running = node.run('reclaim', { ...reclaimParameters, incident: 'first', cpuPercent: '5' });
    await untilWritten(node);
    const undone = await node.run('reclaim-restore', { incident: 'second' });
    const atWork = existsSync(join(node.root, state, 'first/saved'));
    const first = json(await running);
    const second = await node.run('reclaim', { ...reclaimParameters, incident: 'second' });

    expect(json(undone)).toMatchObject({ changed: false, remaining: 0 });
    expect(atWork).toBe(true);
    expect(first).toMatchObject({
      slices: [{ stopped: expect.stringMatching(/budget|no-progress/) }],
      protection: { raised: 4, restored: 4 },
    });
    expect(json(second).error).toContain('incident second was undone on this node');
  });

  it.each([
    ['of its own incident does not stop', 'test-1', /^the treatment of this incident .*has not within 2 s/],
    [
      'of another keeps it from what is left',
      'other',
      /^another treatment is at work .*\(incident other, pid 1\)/,
    ],
  ])('fails, and keeps what is saved, when a reclaim %s', async (_, holder, error) => {
    const node = open();
    leave(node, 'test-1', `${boot}low 0 1125899906842624 /b.slice\n`);
    const lock = join(node.root, medic, 'lock');
    node.write(`${medic}/lock`, `incident ${holder}, pid 1\n`);
    const held = spawn('flock', [lock, 'sleep', '60'], { detached: true, stdio: 'ignore' });
    await until(() => spawnSync('flock', ['-n', lock, 'true']).status !== 0);
    const shorter = actBefore('wait_for_treatment', 'STOP_SECONDS=2');
    const result = await node.run('reclaim-restore', { incident: 'test-1' }, shorter);
    if (held.pid !== undefined) process.kill(-held.pid);

    expect(result).toMatchObject({ status: 'Failed', responseCode: 1 });
    expect(json(result).error).toMatch(error);
    for (const file of ['saved', 'undone', 'stop']) {
      expect(existsSync(join(node.root, state, 'test-1', file))).toBe(true);
    }
  });
});

describe.concurrent('reclaim on cgroup v1', () => {
  it('stops between two turns when it is undone, though nothing is ever saved', async () => {
    const node = open(recordedTree('v1-zombies'));
    const knob = join(node.root, 'sys/fs/cgroup/memory/user.slice/memory.force_empty');
    renameSync(knob, `${knob}.held`);
    execFileSync('mkfifo', [knob]);
    const running = node.run('reclaim', { ...reclaimParameters, slices: '/user.slice' });
    await until(() => existsSync(join(node.root, state, 'test-1')));
    const undone = await node.run('reclaim-restore', { incident: 'test-1' });
    const result = json(await running);
    const again = await node.run('reclaim', { ...reclaimParameters, slices: '/user.slice' });

    expect(json(undone)).toMatchObject({ changed: false, restored: 0, remaining: 0 });
    expect(result.slices).toMatchObject([{ stopped: 'error' }]);
    expect(json(again).error).toContain('was undone on this node');
  });

  it('ends each turn after a moment, and stops when the turns free nothing', async () => {
    const node = open(recordedTree('v1-zombies'));
    const knob = join(node.root, 'sys/fs/cgroup/memory/user.slice/memory.force_empty');
    renameSync(knob, `${knob}.held`);
    execFileSync('mkfifo', [knob]);
    const result = await node.run('reclaim', { ...reclaimParameters, slices: '/user.slice' });

    expect(json(result)).toMatchObject({ slices: [{ stopped: 'no-progress' }], left: { dying: 5800 } });
    expect(json(result).slices[0].writes).toBeGreaterThanOrEqual(5);
    expect(json(result).wallSeconds).toBeLessThan(20);
  });

  it('empties the slice in turns until the kernel finds no more', async () => {
    const node = nodeFolder(recordedTree('v1-zombies'));
    nodes.push(node);
    const result = await node.run('reclaim', { ...reclaimParameters, slices: '/user.slice' });

    expect(json(result)).toMatchObject({
      hierarchy: 'v1',
      slices: [{ path: '/user.slice', before: { dying: null, ghostKb: 20_000 } }],
      protection: { raised: 0 },
    });
  });
});
