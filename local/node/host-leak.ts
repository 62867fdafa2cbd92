import { spawn } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { countDying, memoryMount, registeredCgroups } from './memory-hierarchy-v1.ts';
import { killProcessesIn, removeCgroup } from './remove-cgroup.ts';

/** Every cgroup of ours begins with this; nothing else is ever touched. */
const prefix = 'cgroup-medic-leak-';
/** Who made which leak, so that the next run can clean up after a crash. */
const records = '/var/lib/cgroup-medic/leaks';
const worker = join(import.meta.dirname, 'make-leak.sh');
const defaultCount = 6000;
/** A kernel that leaves fewer than `fewest` of `sampled` removed cgroups dying frees them by itself (mainline 7.1 on). */
const sampled = 200;
const fewest = 100;
/** File systems whose pages are not page cache that a reclaim could free. */
const memoryFileSystems = new Map([
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
]);

const Owner = z.object({ pid: z.int().positive(), startedAt: z.string(), files: z.string() });
type Owner = z.infer<typeof Owner>;

export type HostCheck = { possible: true } | { possible: false; missing: string; instead: string };

export type Leak = {
  /** The slice, relative to the memory hierarchy, as documents name it. */
  slice: string;
  /** Dying memory cgroups before the leak was made. */
  before: number;
  /** Dying memory cgroups of this host now. */
  countDying(): number;
  /** Ends a leak that was asked to go on. */
  stop(): Promise<void>;
  /** Removes every cgroup and file of the leak. */
  remove(): Promise<void>;
};

export type MakeLeak = {
  /** Names the cgroup: letters, digits, "-" and "_". */
  id: string;
  /** @default 6000 */
  count?: number;
  /** A folder on a real file system; one of the leak's own is made in it. */
  dir: string;
  /** Goes on making so many dying cgroups a second until `stop`: a producer. */
  keepLeaking?: number;
  signal?: AbortSignal;
  onProgress?: (made: number, count: number) => void;
};

/** The kernel does not keep removed cgroups alive: there is no such leak to be had on this host. */
export class KernelFreesThemError extends Error {
  override readonly name = 'KernelFreesThemError';
}

/** Whether a real leak can be made and repaired on this host; if not, what is missing and which command works. */
export function checkHost(): HostCheck {
  const instead = 'npm start -- --node v2-zombies';
  const no = (missing: string): HostCheck => ({ possible: false, missing, instead });
  if (process.platform !== 'linux') return no(`this is ${process.platform}, and cgroups are Linux`);
  if (process.getuid?.() !== 0) return no('making cgroups needs root');
  if (!existsSync(join(memoryMount, 'memory.stat'))) {
    return existsSync('/sys/fs/cgroup/cgroup.controllers')
      ? no('the host node needs cgroup v1 for now, and memory is on cgroup v2 here')
      : no(`there is no memory hierarchy at ${memoryMount}`);
  }
  try {
    accessSync(memoryMount, constants.W_OK);
    const probe = join(memoryMount, `${prefix}probe-${process.pid}`);
    mkdirSync(probe);
    rmdirSync(probe);
  } catch (error) {
    return no(`cannot make a cgroup in ${memoryMount}: ${error instanceof Error ? error.message : error}`);
  }
  if (registeredCgroups() === undefined) return no('/proc/cgroups has no row for memory');
  return { possible: true };
}

/**
 * Makes a real leak on this host, in a cgroup of its own: `count` removed cgroups whose page cache still lives.
 *
 * @throws KernelFreesThemError where the kernel frees such cgroups by itself; nothing is left behind then.
 */
export async function makeLeak(options: MakeLeak): Promise<Leak> {
  const { id, count = defaultCount, dir, keepLeaking = 0, signal, onProgress } = options;
  if (!/^[A-Za-z0-9_-]{1,60}$/.test(id)) throw new Error(`leak id "${id}": use letters, digits, "-" and "_"`);
  mkdirSync(dir, { recursive: true });
  const fileSystem = memoryFileSystems.get(Number(statfsSync(dir).type));
  if (fileSystem)
    throw new Error(`${dir} is on ${fileSystem}, which has no page cache to leak: name a folder on a disk`);

  const name = `${prefix}${id}`;
  const top = join(memoryMount, name);
  const files = join(dir, name);
  record(name, files);
  mkdirSync(top);
  mkdirSync(files);

  const before = countDying();
  const registered = registeredCgroups() ?? 0;
  const child = spawn(worker, [top, files, String(count), String(keepLeaking), String(process.pid)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  const remove = async () => {
    await stop();
    await removeLeak(name, files);
  };
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const abort = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', abort, { once: true });

  try {
    let check: Promise<void> | undefined;
    await new Promise<void>((resolve, reject) => {
      const lines = createInterface({ input: child.stdout });
      lines.on('line', (line) => {
        if (line === 'done') resolve();
        const made = Number(line);
        if (!(made <= count)) return;
        onProgress?.(made, count);
        if (check !== undefined || made < Math.min(sampled, count)) return;
        check = expectGrowth(registered, made);
        check.catch(reject);
      });
      child.once('error', reject);
      child.once('close', (code) =>
        reject(new Error(`making the leak ended early (exit code ${code}): ${errors.trim() || 'stopped'}`)),
      );
    });
    await check;
  } catch (error) {
    await remove();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  return { slice: `/${name}`, before, countDying, stop, remove };
}

/** Whether the removed cgroups stay, once the kernel has had two seconds to free them. */
async function expectGrowth(registered: number, made: number): Promise<void> {
  const enough = Math.min(fewest, made / 2);
  await sleep(2000);
  const stayed = (registeredCgroups() ?? 0) - registered;
  // Somebody else's were freed meanwhile: that says nothing about ours.
  if (stayed >= enough || stayed < 0) return;
  throw new KernelFreesThemError(
    `this kernel frees removed cgroups by itself (${stayed} of ${made} stayed): there is no leak to make here. Use a recorded node`,
  );
}

/** Removes what crashed runs left: only leaks that we recorded, and whose maker is gone. Returns their names. */
export async function cleanUpOldLeaks(): Promise<string[]> {
  const removed: string[] = [];
  for (const file of existsSync(records) ? readdirSync(records) : []) {
    const name = file.replace(/\.json$/, '');
    if (!name.startsWith(prefix)) continue;
    const owner = readOwner(name);
    if (owner !== undefined && startOf(owner.pid) === owner.startedAt) continue;
    await removeLeak(name, owner?.files);
    removed.push(name);
  }
  return removed;
}

function record(name: string, files: string): void {
  mkdirSync(records, { recursive: true, mode: 0o700 });
  const owner: Owner = { pid: process.pid, startedAt: startOf(process.pid) ?? '', files };
  // "wx": a second leak of the same name would remove the first one's cgroups.
  writeFileSync(join(records, `${name}.json`), JSON.stringify(owner), { flag: 'wx' });
}

/** `undefined` for a record that was cut short by a crash. */
function readOwner(name: string): Owner | undefined {
  try {
    return Owner.parse(JSON.parse(readFileSync(join(records, `${name}.json`), 'utf8')));
  } catch {
    return undefined;
  }
}

/** When a process started, in ticks since boot: a pid alone may be somebody else's by now. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

async function removeLeak(name: string, files: string | undefined): Promise<void> {
  const top = join(memoryMount, name);
  const children = existsSync(top)
    ? readdirSync(top, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    : [];
  // A worker whose maker was killed may still be writing.
  for (const cgroup of [top, ...children.map((child) => join(top, child.name))]) killProcessesIn(cgroup);
  // Before the cgroups: with the pages of the files go the dying ones.
  if (files !== undefined) await rm(files, { recursive: true, force: true, maxRetries: 10 });
  for (const child of children) await removeCgroup(join(top, child.name));
  if (existsSync(top)) await removeCgroup(top);
  rmSync(join(records, `${name}.json`), { force: true });
}
