import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { checkHost, cleanUpOldLeaks, type Leak, makeLeak } from '../../../local/node/host-leak.ts';
import { registeredCgroups } from '../../../local/node/memory-hierarchy-v1.ts';
import { holdHost } from '../../host-lock.ts';
import { isV1Host, v1Mount } from '../../ssm-documents/node-folder.ts';

const module = join(import.meta.dirname, '../../../local/node/host-leak.ts');

it('checkHost says what is missing, and which command works instead', () => {
  const check = checkHost();

  expect(check.possible).toBe(isV1Host);
  if (!check.possible) {
    expect(check.missing).not.toBe('');
    expect(check.instead).toContain('npm start');
  }
});

describe.skipIf(!isV1Host)('a leak on this host (needs root and cgroup v1)', () => {
  const dir = isV1Host ? mkdtempSync('/var/tmp/cgroup-medic-test-') : '';
  const leaks: Leak[] = [];
  let release: (() => Promise<void>) | undefined;
  beforeAll(async () => {
    release = await holdHost();
    await cleanUpOldLeaks();
  });
  afterEach(async () => {
    for (const leak of leaks.splice(0)) await leak.remove();
  });
  afterAll(async () => {
    await cleanUpOldLeaks();
    await release?.();
    if (dir) rmSync(dir, { recursive: true, force: true });
  });

  it('is real: the kernel keeps the removed cgroups, and removing the leak frees them', async () => {
    const before = registeredCgroups() ?? 0;
    const progress: number[] = [];
    const leak = await makeLeak({
      id: `a-${process.pid}`,
      count: 1000,
      dir,
      onProgress: (made) => progress.push(made),
    });
    leaks.push(leak);

    expect(progress.at(-1)).toBe(1000);
    expect((registeredCgroups() ?? 0) - before).toBeGreaterThan(950);
    expect(leak.countDying() - leak.before).toBeGreaterThan(950);
    expect(
      readdirSync(join(v1Mount, leak.slice), { withFileTypes: true }).filter((entry) => entry.isDirectory()),
    ).toEqual([]);

    await leak.remove();
    expect(existsSync(join(v1Mount, leak.slice))).toBe(false);
    expect(readdirSync(dir)).toEqual([]);
    await expect.poll(() => (registeredCgroups() ?? 0) - before, { timeout: 20_000 }).toBeLessThan(100);
  });

  it('goes on leaking when asked to, until it is stopped', async () => {
    const leak = await makeLeak({ id: `b-${process.pid}`, count: 400, dir, keepLeaking: 50 });
    leaks.push(leak);
    const first = leak.countDying();
    await sleep(3000);
    const second = leak.countDying();
    await leak.stop();

    expect(second - first).toBeGreaterThan(50);
  });

  it('is cleaned up by the next run when its maker was killed', async () => {
    const id = `c-${process.pid}`;
    const code = `import { makeLeak } from ${JSON.stringify(module)}; await makeLeak({ id: '${id}', count: 100000, dir: '${dir}' });`;
    const maker = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], {
      stdio: 'ignore',
    });
    const top = join(v1Mount, `cgroup-medic-leak-${id}`);
    await expect.poll(() => existsSync(top), { timeout: 20_000 }).toBe(true);
    await sleep(500);
    const whileAlive = await cleanUpOldLeaks();
    maker.kill('SIGKILL');
    await new Promise((resolve) => maker.once('close', resolve));
    const afterwards = await cleanUpOldLeaks();

    expect(whileAlive).toEqual([]);
    expect(afterwards).toEqual([`cgroup-medic-leak-${id}`]);
    expect(existsSync(top)).toBe(false);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('refuses a folder that is no disk, and a name that is no name', async () => {
    await expect(makeLeak({ id: 'd', dir: '/dev/shm' })).rejects.toThrow('/dev/shm is on tmpfs');
    await expect(makeLeak({ id: '../d', dir })).rejects.toThrow('leak id "../d"');
  });
});
