import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { checkHost, cleanUpOldLeaks, type Leak, makeLeak } from '../../../local/node/host-leak.ts';
import { registeredCgroups } from '../../../local/node/memory-hierarchy-v1.ts';
import { holdHost } from '../../host-lock.ts';
import { isV1Host, v1Mount } from '../../ssm-documents/node-folder.ts';

const records = '/var/lib/cgroup-medic/leaks';
const module = join(import.meta.dirname, '../../../local/node/host-leak.ts');

it('checkHost says what is missing, and which command works instead', () => {
  const check = checkHost();

  expect(check.possible).toBe(isV1Host);
  if (!check.possible) {
    expect(check.missing).not.toBe('');
    expect(check.instead).toContain('npm start');
  }
});

/** Processes that were started with this argument. */
function processesWith(argument: string): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        return readFileSync(join('/proc', pid, 'cmdline'), 'utf8')
          .split('\0')
          .includes(argument);
      } catch {
        // It has ended meanwhile.
        return false;
      }
    });
}

/** The kernel frees what a test before has removed, and for a while counts fewer and fewer. */
async function untilSteady(): Promise<void> {
  for (let last = Number.POSITIVE_INFINITY, now = registeredCgroups() ?? 0; now < last; ) {
    last = now;
    await sleep(1000);
    now = registeredCgroups() ?? 0;
  }
}

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

  it('ends its worker when its maker was killed', async () => {
    const id = `e-${process.pid}`;
    const code = `import { makeLeak } from ${JSON.stringify(module)}; await makeLeak({ id: '${id}', count: 100000, dir: '${dir}' });`;
    const maker = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], {
      stdio: 'ignore',
    });
    const top = join(v1Mount, `cgroup-medic-leak-${id}`);
    const made = () => existsSync(join(dir, `cgroup-medic-leak-${id}`, '0'));
    await expect.poll(made, { timeout: 20_000 }).toBe(true);
    expect(processesWith(top)).toHaveLength(1);
    maker.kill('SIGKILL');

    // The files say nothing of it: any other run may remove a leak without a maker at once.
    await expect.poll(() => processesWith(top), { timeout: 10_000 }).toEqual([]);
    await cleanUpOldLeaks();
  });

  it('is removed by the next run when its pid is somebody else’s by now, or its record was cut short', async () => {
    const written = ['f', 'g'].map((letter) => `cgroup-medic-leak-${letter}-${process.pid}`);
    for (const name of written) mkdirSync(join(v1Mount, name));
    const owner = { pid: process.pid, startedAt: 'not our start', files: join(dir, 'none') };
    mkdirSync(records, { recursive: true });
    writeFileSync(join(records, `${written[0]}.json`), JSON.stringify(owner));
    writeFileSync(join(records, `${written[1]}.json`), '{"pid":');

    expect((await cleanUpOldLeaks()).sort()).toEqual(written);
    expect(written.filter((name) => existsSync(join(v1Mount, name)))).toEqual([]);
  });

  it('is the only thing that the next run removes', async () => {
    const name = `cgroup-medic-test-${process.pid}`;
    const cgroup = join(v1Mount, name);
    const record = join(records, `${name}.json`);
    mkdirSync(records, { recursive: true });
    mkdirSync(cgroup);
    writeFileSync(record, JSON.stringify({ pid: 1, startedAt: 'long ago', files: join(dir, 'none') }));
    const removed = await cleanUpOldLeaks();
    const left = existsSync(cgroup);
    rmSync(record);
    rmdirSync(cgroup);

    expect(removed).toEqual([]);
    expect(left).toBe(true);
  });

  it('takes no name that another leak has, and leaves that one its record', async () => {
    const id = `h-${process.pid}`;
    await untilSteady();
    leaks.push(await makeLeak({ id, count: 200, dir }));
    const record = () => readFileSync(join(records, `cgroup-medic-leak-${id}.json`), 'utf8');
    const before = record();

    await expect(makeLeak({ id, count: 200, dir: join(dir, 'other') })).rejects.toThrow('EEXIST');
    expect(record()).toBe(before);
    rmdirSync(join(dir, 'other'));
  });

  it('leaves nothing behind when it is stopped half-way', async () => {
    const stop = new AbortController();
    const id = `i-${process.pid}`;
    const making = makeLeak({
      id,
      count: 100_000,
      dir,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });

    await expect(making).rejects.toThrow('ended early');
    expect(existsSync(join(v1Mount, `cgroup-medic-leak-${id}`))).toBe(false);
    expect(existsSync(join(records, `cgroup-medic-leak-${id}.json`))).toBe(false);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('refuses a folder that is no disk, and a name that is no name', async () => {
    await expect(makeLeak({ id: 'd', dir: '/dev/shm' })).rejects.toThrow('/dev/shm is on tmpfs');
    await expect(makeLeak({ id: '../d', dir })).rejects.toThrow('leak id "../d"');
  });
});
