import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { recordedTree } from '../../local/node/recorded-node.ts';
import type { Tree } from '../../local/node/recorded-tree.ts';
import { cgroup, json, type NodeFolder, reclaimParameters, smallTree, stalled } from './node-folder.ts';
import { actAtEach, actBefore, curedTree, open, state, until } from './reclaim-node.ts';

// A reclaim takes 18 s, and less than half a second of a CPU: ten at a time, and not five.
vi.setConfig({ maxConcurrency: 10 });

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
    // No more than the dying held at the beginning, and a page in each of the three tries that did not help.
    expect(json(result).slices[0].askedKb).toBeLessThanOrEqual(4600 + 3 * 4);
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
      slices: [
        {
          budgetKb: 4600,
          askedKb: 0,
          wouldRaise: [
            { path: '/a.slice/guarded', from: '1048576', to: expect.stringMatching(/^1\d{15}$/) },
            { path: '/a.slice/plain', from: '0' },
            { path: '/a.slice/pod/container', from: '65536' },
            { path: '/a.slice/pod', from: '0', to: String(5000 * 1024) },
          ],
          wouldRaiseLeftOut: 0,
        },
      ],
    });
    expect(node.lows()).toEqual(before);
    expect(existsSync(join(node.root, 'var'))).toBe(false);
  });

  it('prints no more of what it would raise than the service keeps', async () => {
    const children = Array.from({ length: 400 }, (_, n) =>
      cgroup(`/a.slice/${'x'.repeat(100)}${n}`, { live: 0, dying: 0, cacheKb: 4 }),
    );
    const node = open(Object.assign({}, smallTree, ...children));
    const result = await node.run('reclaim', { ...reclaimParameters, dryRun: 'true' });
    const [{ wouldRaise, wouldRaiseLeftOut }] = json(result).slices;

    expect(wouldRaise.length).toBeGreaterThan(20);
    expect(wouldRaise.length + wouldRaiseLeftOut).toBe(404);
    expect(result.stdout.length).toBeLessThan(20_000);
  });

  it('would raise nothing where nothing is to be done', async () => {
    const result = json(await open(curedTree).run('reclaim', { ...reclaimParameters, dryRun: 'true' }));

    expect(result).toMatchObject({ protection: { raised: 0 }, slices: [{ wouldRaise: [] }] });
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

  /** All page cache of the slice is that of its living children: cached inodes hold its dying. */
  const withoutGhosts: Tree = {
    ...smallTree,
    ...cgroup('/a.slice', { live: 4, dying: 900, cacheKb: 19_000 }),
    ...cgroup('/a.slice/pod', { live: 1, dying: 300, cacheKb: 5_000 }),
  };

  it('goes on, a page at a time, to the dying that hold no page cache, until that no longer helps', async () => {
    const node = open(withoutGhosts, { kbEach: 0.02 });
    const before = node.lows();
    const result = json(await node.run('reclaim', reclaimParameters));

    expect(result).toMatchObject({
      after: { dying: 45 },
      slices: [{ before: { dying: 900, ghostKb: 0 }, stopped: 'no-progress' }],
      protection: { raised: 4, restored: 4 },
    });
    // A page each: some that helped, and three that did not.
    expect(result.slices[0].askedKb).toBe(4 * result.slices[0].writes);
    expect(result.slices[0].writes).toBeLessThanOrEqual(10);
    expect(node.lows()).toEqual(before);
  });

  it('asks for no more than a few pages there, for by then it may take those of the living', async () => {
    const node = open(withoutGhosts);
    const result = json(await node.run('reclaim', reclaimParameters));

    expect(result.slices).toMatchObject([{ writes: 16, askedKb: 64, stopped: 'budget' }]);
  });

  it('leaves a handful alone that hold no page cache', async () => {
    const node = open({
      ...withoutGhosts,
      ...cgroup('/a.slice', { live: 4, dying: 20, cacheKb: 19_000 }),
    });
    const result = json(await node.run('reclaim', reclaimParameters));

    expect(result).toMatchObject({
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
      // One in earnest, and a page in three more.
      slices: [{ writes: 4, askedKb: 4096 + 3 * 4, stopped: 'no-progress' }],
      undo: null,
      left: { dying: 900 },
    });
    expect(node.lows()).toEqual(before);
  });

  it('tries once more when the kernel has had time to write what was dirty', async () => {
    const writeback = {
      'proc/sys/vm/dirty_expire_centisecs': '900\n',
      'proc/sys/vm/dirty_writeback_centisecs': '100\n',
    };
    const node = open({ ...smallTree, ...writeback });
    const knob = join(node.root, 'sys/fs/cgroup/a.slice/memory.reclaim');
    rmSync(knob);
    node.write('sys/fs/cgroup/a.slice/memory.reclaim', '');
    const result = json(await node.run('reclaim', { ...reclaimParameters, maxSeconds: '120' }));

    // All that the dying hold is asked for, in two writes, and a page in three more.
    expect(result.slices).toMatchObject([{ writes: 5, askedKb: 4600 + 3 * 4, stopped: 'no-progress' }]);
    expect(result.wallSeconds).toBeGreaterThanOrEqual(10);
  });

  /** Puts another content into a file of the node once the first write has freed what it frees. */
  const changeAfterWrite = (node: NodeFolder, path: string, content: string) => {
    node.write('changed', content);
    const freed = `until grep --quiet 'nr_dying_descendants 45$' sys/fs/cgroup/a.slice/cgroup.stat; do sleep 0.05; done`;
    return actBefore('helped *', `(cd "$CGROUP_MEDIC_ROOT" && ${freed} && cp changed ${path})`);
  };

  it('stops when the node comes under memory pressure meanwhile, and restores', async () => {
    const node = open();
    const before = node.lows();
    const stall = changeAfterWrite(node, 'proc/pressure/memory', stalled);
    const result = json(await node.run('reclaim', reclaimParameters, stall));

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

  it.each([
    ['memory', 'true'],
    ['memory', 'false'],
    ['io', 'true'],
    ['io', 'false'],
  ])('refuses a limit for %s pressure that it cannot keep (dry run: %s)', async (resource, dryRun) => {
    const node = open({ ...smallTree, [`proc/pressure/${resource}`]: '' });
    const before = node.lows();
    const result = await node.run('reclaim', { ...reclaimParameters, dryRun });

    expect(result.status).toBe('Failed');
    expect(json(result).error).toContain(
      `cannot read /proc/pressure/${resource}, so the pressure limit of 20 %`,
    );
    expect(node.lows()).toEqual(before);
  });

  /** Disks that are busy for longer than this are not waited for. */
  const impatient = actBefore('reclaim_slice *', 'IO_PATIENCE_SECONDS=1');

  it.each([
    ['v2', smallTree, '/a.slice'],
    ['v1', recordedTree('v1-zombies'), '/user.slice'],
  ])('stops before it begins where everybody waits for the disks (%s)', async (_, tree, slices) => {
    const node = open({ ...tree, 'proc/pressure/io': stalled });
    const result = json(await node.run('reclaim', { ...reclaimParameters, slices }, impatient));

    expect(result).toMatchObject({ changed: false, slices: [{ writes: 0, stopped: 'pressure' }] });
    expect(result.wallSeconds).toBeGreaterThanOrEqual(1);
  });

  it('waits for what the kernel writes back, and goes on', async () => {
    const node = open({ ...smallTree, 'proc/pressure/io': stalled });
    const running = node.run('reclaim', reclaimParameters);
    await until(() => existsSync(join(node.root, state, 'test-1')));
    await sleep(1000);
    const waited = node.lows()['a.slice/plain/memory.low'] === '0';
    node.write('proc/pressure/io', node.read('proc/pressure/memory'));
    const result = json(await running);

    expect(waited).toBe(true);
    expect(result).toMatchObject({ changed: true, after: { dying: 45 } });
  });

  it('does not look at the disks when that limit is off', async () => {
    const node = open({ ...smallTree, 'proc/pressure/io': stalled });
    const result = json(await node.run('reclaim', { ...reclaimParameters, ioFullLimit: '0' }, impatient));

    expect(result).toMatchObject({ changed: true, after: { dying: 45 } });
  });

  it('refuses to empty a slice on cgroup v1 where the living could be swapped out', async () => {
    const swaps = 'Filename Type Size Used Priority\n/dev/vdb partition 1048572 0 -2\n';
    const parameters = { ...reclaimParameters, slices: '/user.slice' };
    const v1 = open({ ...recordedTree('v1-zombies'), 'proc/swaps': swaps });
    const v2 = open({ ...smallTree, 'proc/swaps': swaps });

    expect(json(await v1.run('reclaim', parameters)).error).toContain('swap is on');
    expect(json(await v2.run('reclaim', reclaimParameters))).toMatchObject({ changed: true });
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
    // 200 KiB more than the living in it have.
    const bytes = (10_000 + 4000 + 5000 + 200) * 1024;
    const path = 'sys/fs/cgroup/a.slice/memory.stat';
    const free = changeAfterWrite(node, path, `file ${bytes}\nshmem 0\n`);
    const result = json(await node.run('reclaim', reclaimParameters, free));

    expect(result.slices).toMatchObject([{ writes: 5, askedKb: 4096 + 200 + 3 * 4 }]);
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

  it('counts what is left only when the count has stopped falling', async () => {
    const node = open();
    const stat = join(node.root, 'sys/fs/cgroup/cgroup.stat');
    const later = `{ sleep 0.5; printf 'nr_descendants 6\\nnr_dying_descendants 7\\n' >'${stat}'; } & true`;
    const result = await node.run('reclaim', reclaimParameters, actBefore('settle', later));

    expect(json(result)).toMatchObject({ after: { dying: 7 }, left: { dying: 7 } });
  });

  it('stays under its CPU ceiling', async () => {
    const result = json(await open().run('reclaim', { ...reclaimParameters, cpuPercent: '5' }));

    expect(result.slices[0].writes).toBeGreaterThan(0);
    expect(result.cpuSeconds / result.wallSeconds).toBeLessThan(0.1);
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

  /** The v1 node, with `ghostKb` of page cache in /user.slice that no living child of it has. */
  const withGhosts = (ghostKb: number): Tree => {
    const tree = recordedTree('v1-zombies');
    const stat = tree[userStat] ?? '';
    return {
      ...tree,
      [userStat]: stat.replace(/^total_cache .*/m, `total_cache ${(3072 + ghostKb) * 1024}`),
    };
  };
  const userStat = 'sys/fs/cgroup/memory/user.slice/memory.stat';
  const userSlice = { ...reclaimParameters, slices: '/user.slice' };
  /** Nobody reads it: a turn is interrupted and has freed nothing. */
  const block = (node: { root: string }) => {
    const knob = join(node.root, 'sys/fs/cgroup/memory/user.slice/memory.force_empty');
    renameSync(knob, `${knob}.held`);
    execFileSync('mkfifo', [knob]);
  };

  it('leaves the living alone where the dying hold no page cache', async () => {
    const node = open(withGhosts(40));
    const result = json(await node.run('reclaim', userSlice));

    expect(result).toMatchObject({
      changed: false,
      before: { dying: 5800 },
      slices: [{ before: { ghostKb: 40 }, writes: 0, stopped: 'done' }],
    });
  });

  /** Puts another content into a file of the node once it has been looked at, just before the first turn. */
  const changeBeforeTurn = (node: NodeFolder, path: string, content: string) => {
    node.write('changed', content);
    return actBefore('timed_write *', `cp "$CGROUP_MEDIC_ROOT/changed" "$CGROUP_MEDIC_ROOT/${path}"`);
  };

  it('ends its turns when the dying hold no page cache any more', async () => {
    const node = open(withGhosts(20_000));
    block(node);
    const change = changeBeforeTurn(node, userStat, withGhosts(40)[userStat] ?? '');
    const result = json(await node.run('reclaim', userSlice, change));

    // The second one frees nothing any more.
    expect(result.slices).toMatchObject([
      { before: { ghostKb: 20_000 }, after: { ghostKb: 40 }, writes: 2, stopped: 'done' },
    ]);
  });

  it('ends its turns when the node has no dying cgroup any more, whatever the bytes say', async () => {
    const node = open(withGhosts(20_000));
    block(node);
    const none = node.read('proc/cgroups').replace(/^(memory\t\d+\t)\d+/m, '$137');
    const result = json(await node.run('reclaim', userSlice, changeBeforeTurn(node, 'proc/cgroups', none)));

    expect(result).toMatchObject({
      before: { dying: 5800 },
      after: { dying: 0 },
      slices: [{ writes: 1, stopped: 'done' }],
    });
  });

  it('takes it for no progress when only the living lose page cache', async () => {
    const child = 'sys/fs/cgroup/memory/user.slice/user-1000.slice/memory.stat';
    const cached = (stat: string | undefined, kb: number) =>
      (stat ?? '').replace(/^total_cache .*/m, `total_cache ${kb * 1024}`);
    const tree = recordedTree('v1-zombies');
    const node = open({
      ...tree,
      [userStat]: cached(tree[userStat], 1_020_000),
      [child]: cached(tree[child], 1_000_000),
    });
    block(node);
    // With every turn the living, and with them the slice, have 2 % less.
    const shrink = `local file taken; cd "$CGROUP_MEDIC_ROOT"; taken="$(awk '$1 == "total_cache" { printf "%.0f", $2 / 50 }' '${child}')"; for file in '${userStat}' '${child}'; do awk -v taken="$taken" '{ if ($1 == "total_cache") $2 = sprintf("%.0f", $2 - taken); print }' "$file" >shrunk; mv shrunk "$file"; done`;
    const result = json(await node.run('reclaim', userSlice, actAtEach('timed_write *', shrink)));

    expect(result.slices).toMatchObject([
      { before: { ghostKb: 20_000 }, after: { ghostKb: 20_000 }, stopped: 'no-progress' },
    ]);
  });

  it('takes it for no progress when the turns free next to nothing', async () => {
    const node = open(withGhosts(20_000));
    block(node);
    const shrink = `cd "$CGROUP_MEDIC_ROOT"; awk '{ if ($1 == "total_cache") $2 = sprintf("%.0f", $2 - 8192); print }' '${userStat}' >shrunk; mv shrunk '${userStat}'`;
    const result = json(await node.run('reclaim', userSlice, actAtEach('timed_write *', shrink)));

    expect(result.slices).toMatchObject([{ stopped: 'no-progress' }]);
    expect(result.slices[0].after.ghostKb).toBeLessThan(20_000);
  });

  it('empties the slice in turns until the kernel finds no more', async () => {
    const node = open(recordedTree('v1-zombies'));
    const result = await node.run('reclaim', { ...reclaimParameters, slices: '/user.slice' });

    expect(json(result)).toMatchObject({
      hierarchy: 'v1',
      slices: [{ path: '/user.slice', before: { dying: null, ghostKb: 20_000 } }],
      protection: { raised: 0 },
    });
  });
});
