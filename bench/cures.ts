import { setTimeout as sleep } from 'node:timers/promises';
import { countDying } from '../local/node/memory-hierarchy-v1.ts';
import { runDocument } from '../local/node/ssm-agent.ts';
import { loadDocument } from '../ssm-documents/load.ts';
import { withBenchPlace } from './bench-place.ts';
import { type Cost, cost, meminfo, run } from './measure.ts';
import { type Latency, type Neighbour, startNeighbour } from './neighbour.ts';
import type { Context } from './node/part.ts';
import { number, percent, type Row } from './table.ts';

const idleMs = 10_000;
/** What a cure does to others goes on after it: what it took from them is read again. */
const afterMs = 5000;
/** The kernel frees what a cure has released in its own time: with 400,000 that takes longer than either cure. */
const settleMs = 120_000;
const settlePollMs = 3000;

/** A real leak that a cure has not seen yet. */
export type FreshLeak = {
  slices: string;
  remove: () => Promise<void>;
};

export type Measured = Cost & {
  /** Dying cgroups of the host before the leak, before the cure and after it. */
  base: number;
  before: number;
  after: number;
  /** Seconds from the beginning of the cure until the count no longer fell. */
  settled: number;
  hotKb: number;
  /** KiB of the neighbour's page cache that were taken from it, and how much in the idle seconds before. */
  lostKb: number;
  lostIdleKb: number;
  /** Kernel memory (slab and percpu) that the leak took. */
  kernelKb: number;
  idle: Latency;
  beside: Latency;
};

/** Reclaim and drop_caches on the same leak, made twice, beside the same neighbour. */
export async function measureCures(
  { sizes, say, signal }: Context,
  make: () => Promise<FreshLeak>,
): Promise<{ ours: Measured; theirs: Measured }> {
  return withBenchPlace('neighbour', async (place) => {
    const neighbour = await startNeighbour(place, sizes.hotMiB);
    try {
      say('making the leak for reclaim');
      const ours = await measure(neighbour, make, signal, (slices) => reclaim(slices, say, signal));
      say('making the same leak for drop_caches');
      const theirs = await measure(neighbour, make, signal, () => dropCaches(signal));
      return { ours, theirs };
    } finally {
      await neighbour.stop();
    }
  });
}

async function measure(
  neighbour: Neighbour,
  make: () => Promise<FreshLeak>,
  signal: AbortSignal,
  cure: (slices: string) => Promise<void>,
): Promise<Measured> {
  const pause = (ms: number) => sleep(ms, undefined, { signal });
  const base = countDying();
  const kernelKb = (): number => meminfo('Slab') + meminfo('Percpu');
  const kernelBefore = kernelKb();
  const leak = await make();
  try {
    const before = countDying();
    const taken = kernelKb() - kernelBefore;
    const idleFrom = Date.now();
    const lostAtFirst = neighbour.lostKb();
    await pause(idleMs);
    const lostIdle = neighbour.lostKb();
    const started = Date.now();
    const spent = await cost(() => cure(leak.slices));
    await pause(afterMs);
    const ended = Date.now();
    const lostKb = neighbour.lostKb() - lostIdle;
    const after = await settledDying(pause);
    const settled = (Date.now() - started) / 1000;
    const { hotKb } = neighbour;
    return {
      ...{ wall: spent.wall, cpu: spent.cpu, base, before, after, hotKb },
      lostKb: Math.min(hotKb, lostKb),
      settled,
      lostIdleKb: lostIdle - lostAtFirst,
      kernelKb: taken,
      idle: await neighbour.latency(idleFrom, started),
      beside: await neighbour.latency(started, ended),
    };
  } finally {
    await leak.remove();
  }
}

/** Whoever counts at once counts what is on its way out. */
async function settledDying(pause: (ms: number) => Promise<void>): Promise<number> {
  const until = Date.now() + settleMs;
  for (let last = countDying(); ; ) {
    await pause(settlePollMs);
    const now = countDying();
    if (now >= last || Date.now() >= until) return now;
    last = now;
  }
}

/** The shipped settings, with the longest run that they allow. */
async function reclaim(slices: string, say: Context['say'], signal: AbortSignal): Promise<void> {
  const { status, stdout, stderr } = await runDocument({
    content: loadDocument('reclaim').content,
    parameters: {
      slices,
      cpuPercent: '5',
      maxSeconds: '1200',
      psiFullLimit: '20',
      incident: `bench-${process.pid}`,
      fencing: '1',
      dryRun: 'false',
    },
    signal,
  });
  signal.throwIfAborted();
  if (status !== 'Success') throw new Error(`reclaim ended as ${status}: ${stderr}`);
  say(`  ${stdout.trim()}`);
}

async function dropCaches(signal: AbortSignal): Promise<void> {
  await run('sync; echo 3 >/proc/sys/vm/drop_caches', signal);
}

/** What both cost and leave, and what is asked of ours. */
export function cureRows({ ours, theirs }: { ours: Measured; theirs: Measured }): Row[] {
  const row = (what: string, show: (one: Measured) => string): Row => ({
    what,
    figures: [show(ours), show(theirs)],
  });
  // Dying cgroups of others come and go beside the two leaks.
  const left = ({ after, base }: Measured): number => Math.max(0, after - base);
  return [
    row(
      'dying cgroups before',
      ({ before, base }) => `${number(before)} (${number(base)} of them before the leak)`,
    ),
    {
      ...row('dying cgroups left (of the leak)', (one) => `${number(one.after)} (${number(left(one))})`),
      bar: {
        text: 'at most what drop_caches leaves of it + 1 %',
        met: left(ours) <= left(theirs) + (ours.before - ours.base) * 0.01,
      },
    },
    {
      ...row(
        `page cache of another slice, in use, kept, of ${number(ours.hotKb / 1024)} MiB (in ${idleMs / 1000} idle seconds before)`,
        ({ lostKb, lostIdleKb, hotKb }) =>
          `${percent(hotKb - lostKb, hotKb)} (${percent(hotKb - lostIdleKb, hotKb)})`,
      ),
      bar: { text: 'at least 99 %', met: ours.lostKb <= 0.01 * ours.hotKb },
    },
    row('seconds from its beginning until that count no longer fell', ({ settled }) => number(settled)),
    row('CPU seconds used', ({ cpu }) => number(cpu, 2)),
    row('wall seconds', ({ wall }) => number(wall, 1)),
    {
      ...row('share of one CPU while it ran', ({ cpu, wall }) => percent(cpu, wall)),
      bar: { text: 'at most 5 %', met: ours.cpu <= 0.05 * ours.wall },
    },
  ];
}

/** How a process of another slice, which reads small files, fared beside the cure and for some seconds after it. */
export function neighbourRows({ ours, theirs }: { ours: Measured; theirs: Measured }, bar: boolean): Row[] {
  const ms = (what: string, kind: 'p99' | 'longest' | 'stall'): Row => ({
    what: `neighbour: ${what}, ms (idle before it)`,
    figures: [ours, theirs].map(
      ({ idle, beside }) => `${number(beside[kind], 2)} (${number(idle[kind], 2)})`,
    ),
  });
  const p99 = ms('p99 of reading a small file', 'p99');
  return [
    bar
      ? {
          ...p99,
          bar: { text: 'at most that beside drop_caches', met: ours.beside.p99 <= theirs.beside.p99 },
        }
      : p99,
    ms('longest read', 'longest'),
    ms('longest stall, from when a read was due', 'stall'),
  ];
}
