import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeLeak } from '../local/node/host-leak.ts';
import { countDying } from '../local/node/memory-hierarchy-v1.ts';
import { runDocument } from '../local/node/ssm-agent.ts';
import { loadDocument } from '../ssm-documents/load.ts';
import { type Cost, cachedKb, cost, meminfo, shell } from './measure.ts';
import { number, percent, type Row } from './table.ts';

const leakSize = 50_000;
const hotMiB = 1024;

type Measured = Cost & {
  before: number;
  after: number;
  base: number;
  hotKb: number;
  keptKb: number;
  rereadSeconds: number;
};

/** At least 50,000 dying cgroups and 1 GiB of page cache that has nothing to do with them; twice, once for each way. */
export async function reclaimAgainstDropCaches(say: (text: string) => void): Promise<Row[]> {
  // On the disk of the checkout: a tmpfs has no page cache that could be lost.
  mkdirSync(resolve('.cgroup-medic'), { recursive: true });
  const folder = mkdtempSync(join(resolve('.cgroup-medic'), 'bench-'));
  try {
    const hot = join(folder, 'hot');
    writeHot(hot);
    // Dying cgroups of others would count against reclaim, which is told to leave them alone.
    dropCaches();
    say(`making ${number(leakSize)} dying cgroups, for reclaim`);
    const perCgroupKb: number[] = [];
    const ours = await measure(folder, hot, perCgroupKb, (slice) => reclaim(slice, say));
    say(`making ${number(leakSize)} dying cgroups, for drop_caches`);
    const theirs = await measure(folder, hot, perCgroupKb, async () => dropCaches());
    return rows(ours, theirs, perCgroupKb);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(
  folder: string,
  hot: string,
  perCgroupKb: number[],
  cure: (slice: string) => Promise<void>,
): Promise<Measured> {
  read(hot);
  const base = countDying();
  const kernelKb = (): number => meminfo('Slab') + meminfo('Percpu');
  const kernelBefore = kernelKb();
  const leak = await makeLeak({
    id: `bench-${randomBytes(3).toString('hex')}`,
    count: leakSize,
    dir: folder,
  });
  try {
    // Its worker has ended and is waited for, or its CPU would be counted as the cure's.
    await leak.stop();
    const before = leak.countDying();
    perCgroupKb.push((kernelKb() - kernelBefore) / (before - base));
    read(hot);
    const hotKb = cachedKb(hot);
    const spent = await cost(() => cure(leak.slice));
    await sleep(3000);
    const after = leak.countDying();
    const keptKb = cachedKb(hot);
    const { wall: rereadSeconds } = await cost(() => read(hot));
    return { wall: spent.wall, cpu: spent.cpu, before, after, base, hotKb, keptKb, rereadSeconds };
  } finally {
    await leak.remove();
  }
}

async function reclaim(slice: string, say: (text: string) => void): Promise<void> {
  const { status, stdout, stderr } = await runDocument({
    content: loadDocument('reclaim').content,
    // The shipped settings, with the longest run that they allow.
    parameters: {
      slices: slice,
      cpuPercent: '5',
      maxSeconds: '1200',
      psiFullLimit: '20',
      incident: 'bench',
      fencing: '1',
      dryRun: 'false',
    },
  });
  if (status !== 'Success') throw new Error(`reclaim ended as ${status}: ${stderr}`);
  say(`  ${stdout.trim()}`);
}

function rows(ours: Measured, theirs: Measured, perCgroupKb: number[]): Row[] {
  const row = (what: string, show: (one: Measured) => string): Row => ({
    what,
    ours: show(ours),
    theirs: show(theirs),
  });
  const allowed = theirs.after + ours.before * 0.01;
  const kept = ours.keptKb / ours.hotKb;
  return [
    row(
      'dying cgroups before',
      ({ before, base }) => `${number(before)} (${number(base)} of them before the leak)`,
    ),
    {
      ...row('dying cgroups left', ({ after }) => number(after)),
      bar: { text: 'at most what drop_caches leaves + 1 % of the start', met: ours.after <= allowed },
    },
    {
      ...row(`unrelated page cache kept, of ${hotMiB} MiB`, ({ keptKb, hotKb }) => percent(keptKb, hotKb)),
      bar: { text: 'at least 95 %', met: kept >= 0.95 },
    },
    row('time to read that file again, seconds', ({ rereadSeconds }) => number(rereadSeconds, 2)),
    row('CPU seconds used', ({ cpu }) => number(cpu, 2)),
    row('wall seconds', ({ wall }) => number(wall, 1)),
    row('share of one CPU while it ran', ({ cpu, wall }) => percent(cpu, wall)),
    {
      what: 'kernel memory (slab and percpu) of one dying cgroup, KiB',
      ours: perCgroupKb.map((kb) => number(kb, 1))[0] ?? '',
      theirs: perCgroupKb.map((kb) => number(kb, 1))[1] ?? '',
    },
  ];
}

function dropCaches(): void {
  shell('sync; echo 3 >/proc/sys/vm/drop_caches');
}

function writeHot(path: string): void {
  const file = openSync(path, 'w');
  const chunk = randomBytes(1024 * 1024);
  for (let mib = 0; mib < hotMiB; mib += 1) writeSync(file, chunk);
  closeSync(file);
  // A page that is not on the disk yet cannot be dropped, and would flatter both.
  shell('sync');
}

function read(path: string): void {
  const file = openSync(path, 'r');
  const chunk = Buffer.alloc(1024 * 1024);
  while (readSync(file, chunk) > 0);
  closeSync(file);
}
