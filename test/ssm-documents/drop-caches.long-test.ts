import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { killEverywhere } from './killed-run.ts';
import { cgroup, copyOf, json, type NodeFolder, nodeFolder, smallTree, stalled } from './node-folder.ts';

const knob = 'proc/sys/vm/drop_caches';
const state = 'var/lib/cgroup-medic/drop-caches';
const parameters = {
  approval: 'policy:night-shift',
  ioFullLimit: '10',
  maxSeconds: '30',
  incident: 'test-1',
  fencing: '1',
};

const folder = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-drop-'));
const nodes: NodeFolder[] = [];
afterAll(() => {
  for (const node of nodes.splice(0)) node.close();
  rmSync(folder, { recursive: true, force: true });
});

type TestNode = NodeFolder & {
  drop(
    changes?: Partial<typeof parameters> & { dryRun?: string },
    env?: Record<string, string>,
  ): ReturnType<NodeFolder['run']>;
  synced(): string;
};

/** A node whose `sync` is a stand-in: the real one would write back what everybody on this host has dirtied. */
function open(tree = smallTree, sync = 'exit 0'): TestNode {
  const node = nodeFolder(tree);
  nodes.push(node);
  return withSync(node, sync);
}

function withSync(node: NodeFolder, sync: string): TestNode {
  const bin = mkdtempSync(join(folder, 'bin-'));
  writeFileSync(join(bin, 'sync'), `#!/bin/sh\necho "$@" >>${bin}/calls\n${sync}\n`);
  chmodSync(join(bin, 'sync'), 0o755);
  return {
    ...node,
    drop: (changes = {}, env = {}) =>
      node.run('drop-caches', { ...parameters, ...changes }, { PATH: `${bin}:/usr/bin:/bin`, ...env }),
    synced: () => (existsSync(join(bin, 'calls')) ? readFileSync(join(bin, 'calls'), 'utf8') : ''),
  };
}

/** A plain file remembers what was written to it. */
function plainKnob(node: NodeFolder) {
  rmSync(join(node.root, knob));
  node.write(knob, '0\n');
}

const withoutCgroups = Object.fromEntries(
  Object.entries(smallTree).filter(([path]) => !path.startsWith('sys/')),
);

describe.concurrent('drop-caches', () => {
  it('writes the dirty pages back, drops once, and says what was there before and after', async () => {
    const node = open();
    const result = await node.drop();

    expect(result.status).toBe('Success');
    expect(json(result)).toEqual({
      version: 1,
      document: 'drop-caches',
      changed: true,
      dryRun: false,
      hierarchy: 'v2',
      approval: 'policy:night-shift',
      before: { dying: 900, cachedKb: 300_000 },
      after: { dying: 45, cachedKb: expect.any(Number) },
      changes: [{ kind: 'drop-caches', subject: '/proc/sys/vm/drop_caches', from: 'kept', to: 'dropped' }],
      changesLeftOut: 0,
      refusals: [],
      refusalsLeftOut: 0,
      undo: null,
      ioFullPercent: 0,
      dirtyKb: 0,
      syncSeconds: expect.any(Number),
      dropSeconds: expect.any(Number),
    });
    expect(json(result).after.cachedKb).toBeLessThan(10_000);
    expect(node.synced()).toContain(`-f ${node.root}`);
  });

  it('predicts the same in a dry run, and changes nothing', async () => {
    const node = open();
    plainKnob(node);
    const dry = json(await node.drop({ dryRun: 'true' }));
    const left = existsSync(join(node.root, 'var'));
    const real = json(await node.drop());

    expect(dry).toMatchObject({ changed: false, dryRun: true, refusals: real.refusals });
    expect(dry.changes).toEqual(real.changes);
    expect(left).toBe(false);
    expect(real.changed).toBe(true);
    expect(node.read(knob)).toBe('3\n');
  });

  it('drops once for an incident, however often it is delivered, and again for another', async () => {
    const node = open();
    await node.drop();
    plainKnob(node);
    const again = await node.drop();
    const dry = await node.drop({ dryRun: 'true' });
    const knobThen = node.read(knob);
    const other = await node.drop({ incident: 'test-2', fencing: '2' });

    expect(again.status).toBe('Success');
    expect(json(again)).toMatchObject({
      changed: false,
      changes: [],
      refusals: [{ subject: '/proc/sys/vm/drop_caches', reason: expect.stringContaining('already') }],
    });
    expect(json(dry).refusals).toEqual(json(again).refusals);
    expect(knobThen).toBe('0\n');
    expect(json(other).changed).toBe(true);
    expect(node.read(knob)).toBe('3\n');
  });

  it.each([
    [
      'is at the limit',
      stalled.replaceAll('45.00', '40.00'),
      { ioFullLimit: '40' },
      'waits for IO 40 % of the time (limit 40 %)',
    ],
    ['cannot be read', '', {}, 'cannot read the IO pressure of this node'],
  ])('refuses when the IO pressure %s', async (_, text, changes, message) => {
    const node = open({ ...smallTree, 'proc/pressure/io': text });
    plainKnob(node);
    const [dry, real] = [await node.drop({ ...changes, dryRun: 'true' }), await node.drop(changes)];

    expect(real.status).toBe('Failed');
    expect(json(real).error).toContain(message);
    expect(json(dry)).toEqual(json(real));
    expect(node.read(knob)).toBe('0\n');
    expect(node.synced()).toBe('');
  });

  it.each([
    ['below its limit', stalled.replaceAll('45.00', '39.99'), '40', 39],
    ['unknown and the check switched off', '', '0', null],
    ['high and the check switched off', stalled, '0', 45],
  ])('drops when the IO pressure is %s', async (_, text, ioFullLimit, percent) => {
    const node = open({ ...smallTree, 'proc/pressure/io': text });
    const result = json(await node.drop({ ioFullLimit, dryRun: 'true' }));

    expect(result).toMatchObject({ refusals: [], ioFullPercent: percent });
  });

  it('drops nothing when the sync hangs, and ends it', async () => {
    const node = open(smallTree, 'exec sleep 300');
    plainKnob(node);
    const started = Date.now();
    const result = await node.drop();

    expect(result.status).toBe('Failed');
    expect(json(result).error).toContain('did not end within 15 s');
    expect(Date.now() - started).toBeLessThan(25_000);
    expect(node.read(knob)).toBe('0\n');
    expect(existsSync(join(node.root, state, 'test-1/drop'))).toBe(false);
  }, 40_000);

  it('drops nothing when the sync fails', async () => {
    const node = open(smallTree, 'echo "sync: input/output error" >&2; exit 1');
    plainKnob(node);
    const result = await node.drop();

    expect(json(result).error).toBe('sync failed with 1: nothing was dropped: sync: input/output error');
    expect(node.read(knob)).toBe('0\n');
  });

  it('ends a drop that hangs, and says that only a part was dropped', async () => {
    const node = open();
    // A FIFO that nobody reads: opening it waits.
    rmSync(join(node.root, knob));
    execFileSync('mkfifo', [join(node.root, knob)]);
    const result = await node.drop();

    expect(result.status).toBe('Failed');
    expect(json(result)).toMatchObject({
      changed: true,
      error: expect.stringMatching(/^the drop was ended by its time limit after \d+\.\d\d s/),
      before: { dying: 900 },
      after: { dying: 900 },
    });
  }, 60_000);

  it('ends even when the drop cannot be killed, and lets no other drop begin beside it', async () => {
    const node = open();
    rmSync(join(node.root, knob));
    execFileSync('mkfifo', [join(node.root, knob)]);
    // No signal reaches a task inside the kernel: here none is sent.
    const hook = join(mkdtempSync(join(folder, 'hook-')), 'hook.sh');
    writeFileSync(hook, 'kill() { :; }\n');
    const stuck = await node.drop({}, { BASH_ENV: hook });
    const other = await node.drop({ incident: 'test-2', fencing: '2' });
    // Reading lets the first drop go on.
    const written = execFileSync('timeout', ['10', 'cat', join(node.root, knob)], { encoding: 'utf8' });

    expect(stuck.status).toBe('Failed');
    expect(json(stuck)).toMatchObject({ changed: true, error: expect.stringContaining('cannot be killed') });
    expect(json(other).error).toMatch(
      /^the drop of incident test-1 is still at work in the kernel \(pid \d+\)/,
    );
    expect(written).toBe('3\n');
  }, 60_000);

  it('says why the kernel would not take the write, and may try again then', async () => {
    const node = open();
    rmSync(join(node.root, knob));
    execFileSync('ln', ['-s', '/proc/version', join(node.root, knob)]);
    const result = await node.drop();

    expect(result.status).toBe('Failed');
    expect(json(result).error).toMatch(
      /^cannot write to \/proc\/sys\/vm\/drop_caches: .*(denied|error|permitted)/i,
    );
    expect(existsSync(join(node.root, state, 'test-1/drop'))).toBe(false);
  });

  it('refuses a node without the knob, and one without a memory hierarchy', async () => {
    const [node, bare] = [open(), open(withoutCgroups)];
    rmSync(join(node.root, knob));

    expect(json(await node.drop()).error).toBe('/proc/sys/vm/drop_caches is missing on this node');
    expect(json(await bare.drop()).error).toContain('no memory hierarchy');
  });

  it('takes a file of an earlier boot, or of a process number that is another process now, for what it is', async () => {
    const node = open();
    mkdirSync(join(node.root, state, 'a'), { recursive: true });
    mkdirSync(join(node.root, state, 'b'), { recursive: true });
    mkdirSync(join(node.root, state, 'c'), { recursive: true });
    const started = readFileSync(`/proc/${process.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19];
    const boot = '00000000-0000-4000-8000-000000000001';
    node.write(`${state}/a/drop`, `pid ${process.pid} started ${started} boot another\n`);
    node.write(`${state}/b/drop`, `pid ${process.pid} started 1 boot ${boot}\n`);
    node.write(`${state}/c/drop`, 'garbage\n');
    const free = json(await node.drop({ dryRun: 'true' }));
    node.write(`${state}/c/drop`, `pid ${process.pid} started ${started} boot ${boot}\n`);
    const busy = json(await node.drop({ dryRun: 'true' }));

    expect(free.refusals).toEqual([]);
    expect(busy.error).toContain('the drop of incident c is still at work');
  });
});

describe('killed between any two commands', () => {
  it('drop-caches drops at most once, however often it is delivered', { timeout: 300_000 }, async () => {
    // Nothing is dying, so that nothing is waited for.
    const start = open({ ...smallTree, ...cgroup('', { live: 6, dying: 0, cacheKb: 300_000 }) });
    plainKnob(start);
    const { outcomes } = await killEverywhere(
      {
        open: () => withSync(copyOf(start), 'exit 0'),
        run: (node, env) => node.drop({}, env),
        look: async (node) => {
          const then = node.read(knob);
          node.write(knob, '0\n');
          const again = await node.drop();
          const dropped = (then === '3\n' ? 1 : 0) + (node.read(knob) === '3\n' ? 1 : 0);
          return { again: again.status, first: then === '3\n', dropped };
        },
      },
      { atOnce: 6 },
    );

    // Before the drop, with the mark of it and without the drop, and after it.
    expect(new Set(outcomes.map(({ first, dropped }) => `${first} ${dropped}`))).toEqual(
      new Set(['false 1', 'false 0', 'true 1']),
    );
    expect(outcomes.filter(({ again, dropped }) => again !== 'Success' || dropped > 1)).toEqual([]);
  });
});
