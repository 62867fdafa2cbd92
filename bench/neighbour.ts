import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { BenchPlace } from './bench-place.ts';
import { cachedKb, quantile, run } from './measure.ts';

const smallFiles = 300;
const smallKb = [4, 8, 16, 32, 64];
/** Its worker reports every half second. */
const reportMs = 1500;
const Samples = z.array(z.tuple([z.number(), z.number(), z.number()]));

/** Milliseconds. */
export type Latency = {
  reads: number;
  p50: number;
  p99: number;
  longest: number;
  /** The longest time from when a read was due to its end. */
  stall: number;
};

/** Somebody else on the node: a slice of its own, with small files that are read all the time and a large one in use. */
export type Neighbour = {
  hotKb: number;
  /**
   * KiB of the large file that somebody has taken from the page cache so far: what its user had to fetch again, and what
   * it has not noticed yet. Kept in use, it is not what a kernel or a platform that evicts cold pages would take.
   */
  lostKb: () => number;
  /** How the reads of small files went between two moments (`Date.now()`). */
  latency: (from: number, to: number) => Promise<Latency>;
  stop: () => Promise<void>;
};

export async function startNeighbour(place: BenchPlace, hotMiB: number): Promise<Neighbour> {
  const hotFile = join(place.files, 'hot');
  const folder = join(place.files, 'small');
  mkdirSync(folder, { recursive: true });
  writeRandom(hotFile, hotMiB);
  for (let index = 0; index < smallFiles; index += 1) {
    writeFileSync(join(folder, String(index)), randomBytes(1024 * (smallKb[index % smallKb.length] ?? 4)));
  }
  // Pages that are not on the disk yet cannot be dropped, and would flatter both. What is read again is charged anew.
  await run('sync; echo 3 >/proc/sys/vm/drop_caches');
  const samples: z.infer<typeof Samples> = [];
  const reader = await startWorker(['neighbour-worker.ts', place.cgroup, folder], (line) => {
    samples.push(...Samples.parse(JSON.parse(line)));
  });
  const user = await startWorker(['hot-worker.ts', place.cgroup, hotFile]).catch(async (error: unknown) => {
    await reader.stop();
    throw error;
  });
  const fetchedAtFirst = fetchedKb(user.pid);
  const hotKb = cachedKb(hotFile);
  return {
    hotKb,
    lostKb: () => fetchedKb(user.pid) - fetchedAtFirst + hotKb - cachedKb(hotFile),
    latency: async (from, to) => {
      await sleep(Math.max(0, to + reportMs - Date.now()));
      return summary(samples.filter(([due]) => due >= from && due < to));
    },
    stop: async () => {
      await reader.stop();
      await user.stop();
    },
  };
}

type Worker = { pid: number; stop: () => Promise<void> };

/** Starts a script of this folder, which says when it is ready. It ends with this process, however that ends. */
async function startWorker(args: string[], onLine?: (line: string) => void): Promise<Worker> {
  const [script = '', ...rest] = args;
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', process.execPath, join(import.meta.dirname, script), ...rest],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const ready = Promise.withResolvers<void>();
  child.once('error', ready.reject);
  child.once('close', (code) => ready.reject(new Error(`${script} ended (exit code ${code})`)));
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'ready') ready.resolve();
    else onLine?.(line);
  });
  await ready.promise;
  return {
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** KiB that a process has had read from a disk. */
function fetchedKb(pid: number): number {
  const bytes = /^read_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1];
  return Math.round(Number(bytes) / 1024);
}

function summary(samples: z.infer<typeof Samples>): Latency {
  const reads = samples.map(([, read]) => read);
  return {
    reads: reads.length,
    p50: quantile(reads, 0.5),
    p99: quantile(reads, 0.99),
    longest: quantile(reads, 1),
    stall: quantile(
      samples.map(([, , late]) => late),
      1,
    ),
  };
}

function writeRandom(path: string, mib: number): void {
  const file = openSync(path, 'w');
  const chunk = randomBytes(1024 * 1024);
  for (let index = 0; index < mib; index += 1) writeSync(file, chunk);
  closeSync(file);
}
