import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Wall and CPU seconds of the children of this process that ended meanwhile. */
export type Cost = { wall: number; cpu: number };

/** Runs `act` and says what it and its children cost. Only children that are waited for count. */
export async function cost<T>(act: () => Promise<T> | T): Promise<Cost & { result: T }> {
  const cpuBefore = childrenCpuSeconds();
  const started = performance.now();
  const result = await act();
  return { result, wall: (performance.now() - started) / 1000, cpu: childrenCpuSeconds() - cpuBefore };
}

/** CPU seconds, user and system, of all ended children: the kernel's own count, in ticks of a hundredth. */
function childrenCpuSeconds(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

/** Runs a shell command that must succeed, and returns what it printed. */
export function shell(command: string): string {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', command], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command}: exit code ${status}: ${stderr}`);
  return stdout.trim();
}

/** The same without blocking this process, which has other children to listen to. */
export async function run(command: string, signal?: AbortSignal): Promise<string> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  const child = spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  // The whole group: a walk over 20,000 directories would go on without its shell.
  const stop = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  signal?.addEventListener('abort', stop, { once: true });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-10_000);
  });
  child.once('error', reject).once('close', resolve);
  const status = await promise.finally(() => signal?.removeEventListener('abort', stop));
  signal?.throwIfAborted();
  if (status !== 0) throw new Error(`${command}: exit code ${status}`);
  return said.trim();
}

/** A figure of /proc/meminfo, in KiB. */
export function meminfo(name: string): number {
  const line = readFileSync('/proc/meminfo', 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${name}:`));
  if (line === undefined) throw new Error(`/proc/meminfo has no ${name}`);
  return Number(line.split(/\s+/)[1]);
}

/** KiB of a file that are in the page cache. */
export function cachedKb(file: string): number {
  return Math.round(Number(shell(`fincore --bytes --noheadings --output RES '${file}'`)) / 1024);
}

/** Follows the descendants of this process until `stop`, and gives the highest sum of their resident memory, in KiB. */
export function followMemory(matches: (command: string) => boolean): { stop: () => number } {
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, residentKb(matches));
  }, 5);
  return {
    stop: () => {
      clearInterval(timer);
      return peak;
    },
  };
}

function residentKb(matches: (command: string) => boolean): number {
  let sum = 0;
  for (const pid of descendantsOf(process.pid)) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      if (matches(/^Name:\s*(.*)$/m.exec(status)?.[1] ?? ''))
        sum += Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1] ?? 0);
    } catch {
      // It ended between the two looks.
    }
  }
  return sum;
}

function descendantsOf(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // It ended while the list was read.
    }
  }
  const found: number[] = [];
  for (const queue = [root]; queue.length > 0; ) {
    const next = children.get(queue.pop() ?? 0) ?? [];
    found.push(...next);
    queue.push(...next);
  }
  return found;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** The value that a share of all values does not exceed (nearest rank): 0.99 gives p99, 1 the highest. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) return Number.NaN;
  const rank = Math.max(1, Math.ceil(share * values.length));
  return values.toSorted((a, b) => a - b)[rank - 1] ?? Number.NaN;
}
