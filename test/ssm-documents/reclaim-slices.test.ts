import { renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cgroup, json, reclaimParameters, smallTree } from './node-folder.ts';
import { open, untilRaised } from './reclaim-node.ts';

describe.concurrent('the slices that reclaim is given', () => {
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
});
