import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { json, reclaimParameters, smallTree } from './node-folder.ts';
import {
  actBefore,
  boot,
  leave,
  leaveUnwritable,
  medic,
  open,
  state,
  until,
  untilWritten,
} from './reclaim-node.ts';

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
