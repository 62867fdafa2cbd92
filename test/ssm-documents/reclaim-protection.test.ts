import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cgroup, json, reclaimParameters, smallTree } from './node-folder.ts';
import {
  actBefore,
  boot,
  leave,
  leaveUnwritable,
  medic,
  open,
  state,
  until,
  untilRaised,
  untilWritten,
} from './reclaim-node.ts';

describe.concurrent('the protections that reclaim raises', () => {
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

  it('does not shield a child in which nothing lives, and frees what its dying hold', async () => {
    const idle = (populated: number) => ({
      ...smallTree,
      ...cgroup('/a.slice', { live: 5, dying: 900, cacheKb: 23_600 }),
      ...cgroup('/a.slice/idle', { live: 0, dying: 200, cacheKb: 800 }),
      'sys/fs/cgroup/a.slice/idle/cgroup.events': `populated ${populated}\nfrozen 0\n`,
    });
    const raisedOf = async (populated: number) => {
      const node = open(idle(populated));
      return json(await node.run('reclaim', { ...reclaimParameters, dryRun: 'true' }));
    };
    const [empty, used] = [await raisedOf(0), await raisedOf(1)];

    expect(empty.protection.raised).toBe(4);
    expect(used.protection.raised).toBe(5);
    // Its page cache is what the dying hold.
    expect(empty.slices[0].before.ghostKb - used.slices[0].before.ghostKb).toBe(800);
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
});
