import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanUpOldLeaks, type Leak, makeLeak } from '../../local/node/host-leak.ts';
import { runDocument } from '../../local/node/ssm-agent.ts';
import { loadDocument } from '../../ssm-documents/load.ts';
import { holdHost } from '../host-lock.ts';
import { isV1Host, json, v1Mount } from './node-folder.ts';

const disk = '/var/tmp';
const fencing = '/var/lib/cgroup-medic/fencing';

const run = (name: string, parameters: Record<string, string>) =>
  runDocument({ content: loadDocument(name).content, parameters });

describe.skipIf(!isV1Host)('on this host (needs root and cgroup v1)', () => {
  const files = isV1Host ? mkdtempSync(join(disk, 'cgroup-medic-test-')) : '';
  let leak: Leak | undefined;
  let release: (() => Promise<void>) | undefined;
  beforeAll(async () => {
    release = await holdHost();
    await cleanUpOldLeaks();
    // Of a run on this host whose lease table is gone.
    rmSync(fencing, { force: true });
  });
  afterAll(async () => {
    await leak?.remove();
    if (files) rmSync(files, { recursive: true, force: true });
    rmSync('/var/lib/cgroup-medic/reclaim/test-host', { recursive: true, force: true });
    rmSync('/var/lib/cgroup-medic/evidence', { recursive: true, force: true });
    rmSync(fencing, { force: true });
    await release?.();
  });

  it('collect-evidence says what independent measurements say', async () => {
    const { probes } = json(await run('collect-evidence', { windowSeconds: '1' }));

    expect(probes.host.value.kernel).toBe(execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim());
    expect(probes.host.value.bootId).toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
    expect(probes.host.value.cpus).toBe(Number(execFileSync('nproc', ['--all'], { encoding: 'utf8' })));
    expect(probes.hierarchy.value).toMatchObject({ memory: 'v1', mount: v1Mount });
    const live = readdirSync(v1Mount, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    ).length;
    expect(Math.abs(probes.cgroups.value.live - live)).toBeLessThan(20);
    const memory = /MemTotal:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
    expect(probes.memory.value.totalKb).toBe(Number(memory));
    expect(
      Object.values(probes).filter((probe) => (probe as { status: string }).status === 'failed'),
    ).toEqual([]);
  });

  it('a real leak is seen, named, and cured by reclaim, and its neighbour keeps its page cache', {
    timeout: 120_000,
  }, async () => {
    leak = await makeLeak({ id: `test-${process.pid}`, count: 2000, dir: files });
    const neighbour = join(v1Mount, `cgroup-medic-test-${process.pid}`);
    const cacheOf = () =>
      Number(/^total_cache (\d+)/m.exec(readFileSync(join(neighbour, 'memory.stat'), 'utf8'))?.[1]);
    mkdirSync(neighbour);
    try {
      spawnSync('sh', [
        '-c',
        'echo $$ >"$1/cgroup.procs" && head -c 20000000 /dev/zero >"$2/hot" && sync "$2/hot"',
        '-',
        neighbour,
        files,
      ]);
      const cache = cacheOf();
      const dyingBefore = leak.countDying();
      const { probes } = json(await run('collect-evidence', { windowSeconds: '0' }));
      const seen = probes.slices.value.entries.find(({ path }: { path: string }) => path === leak?.slice);
      const parameters = {
        slices: leak.slice,
        incident: 'test-host',
        fencing: '1',
        cpuPercent: '20',
        maxSeconds: '60',
        psiFullLimit: '0',
        ioFullLimit: '0',
      };
      const dry = json(await run('reclaim', { ...parameters, dryRun: 'true' }));
      const result = json(await run('reclaim', parameters));

      // Of 2,000 made the kernel frees a few by itself; what remains is counted by this process as well.
      expect(probes.cgroups.value.dying).toBeGreaterThan(1900);
      expect(Math.abs(probes.cgroups.value.dying - dyingBefore)).toBeLessThan(50);
      expect(seen).toMatchObject({ live: 0, dying: null });
      expect(seen.ghostKb).toBeGreaterThan(1900 * 4);
      expect(dry).toMatchObject({ changed: false, before: { dying: expect.any(Number) } });
      expect(result.before.dying - result.after.dying).toBeGreaterThan(1900);
      expect(result).toMatchObject({
        changed: true,
        slices: [{ path: leak.slice, stopped: 'done', after: { ghostKb: expect.any(Number) } }],
        undo: null,
      });
      expect(result.slices[0].after.ghostKb).toBeLessThan(400);
      expect(cache).toBeGreaterThan(19_000_000);
      expect(cacheOf()).toBeGreaterThan(cache * 0.99);
    } finally {
      rmdirSync(neighbour);
    }
  });
});
