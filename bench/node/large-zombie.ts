import { closeSync, mkdirSync, openSync, readFileSync, rmdirSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { isInstalled } from '../../bin/exec.ts';
import { memoryMount } from '../../local/node/memory-hierarchy-v1.ts';
import { type BenchPlace, withBenchPlace } from '../bench-place.ts';
import { cureRows, measureCures, neighbourRows } from '../cures.ts';
import { meminfo, run } from '../measure.ts';
import { number, type Table } from '../table.ts';
import { type Context, type Part, SkippedError } from './part.ts';

const readInPages = `import os, sys
file = os.open(sys.argv[1], os.O_RDONLY)
os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)
while os.read(file, 1 << 20): pass`;

/** One dying cgroup that holds gigabytes: how long does freeing it hold up somebody else? */
export const largeZombie: Part = {
  about: 'reclaim of one dying cgroup with 8 GiB of page cache against drop_caches, beside the same process',
  where: 'host',
  measure,
};

async function measure(context: Context): Promise<Table> {
  if (!isInstalled('python3')) throw new SkippedError('it needs python3');
  const mib = context.sizes.largeZombieMiB;
  const available = meminfo('MemAvailable') / 1024;
  if (available < mib * 1.25 + context.sizes.hotMiB) {
    throw new SkippedError(
      `it needs ${number(mib * 1.25 + context.sizes.hotMiB)} MiB, and ${number(available)} MiB are available`,
    );
  }
  return withBenchPlace('large', async (place) => {
    const held: number[] = [];
    const left: number[] = [];
    const measured = await measureCures(context, async () => {
      const remove = await makeLargeZombie(place, mib, context.signal);
      held.push(cacheMiB(place));
      return {
        slices: place.slice,
        remove: async () => {
          left.push(cacheMiB(place));
          remove();
        },
      };
    });
    return {
      title: `Reclaim of one dying cgroup with ${number(mib)} MiB of page cache in single pages, cgroup v1`,
      columns: ['reclaim, `cpuPercent` 5', '`drop_caches=3`'],
      rows: [
        {
          what: 'page cache that it holds, MiB: before → after',
          figures: held.map((before, index) => `${number(before)} → ${number(left[index] ?? Number.NaN)}`),
        },
        ...cureRows(measured),
        ...neighbourRows(measured, false),
      ],
    };
  });
}

/**
 * Holes of a sparse file are page cache like any other, and cost no disk. Read without readahead they are single pages,
 * as nearly everything is before kernel 6.16: the most work that so many bytes can be. Returns what removes it.
 */
async function makeLargeZombie(place: BenchPlace, mib: number, signal: AbortSignal): Promise<() => void> {
  const file = join(place.files, 'large');
  const child = join(place.cgroup, 'large');
  closeSync(openSync(file, 'w'));
  truncateSync(file, mib * 1024 * 1024);
  await run('sync', signal);
  mkdirSync(child);
  await run(
    `echo $$ >'${child}/cgroup.procs' && python3 -c '${readInPages}' '${file}' && echo $$ >'${memoryMount}/cgroup.procs'`,
    signal,
  );
  rmdirSync(child);
  return () => rmSync(file, { force: true });
}

/** Of its slice, in which nothing lives. */
function cacheMiB({ cgroup }: BenchPlace): number {
  const stat = readFileSync(join(cgroup, 'memory.stat'), 'utf8');
  return Number(/^total_cache (\d+)$/m.exec(stat)?.[1]) / 2 ** 20;
}
