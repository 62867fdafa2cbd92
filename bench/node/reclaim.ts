import { cureRows, measureCures, neighbourRows } from '../cures.ts';
import { meminfo } from '../measure.ts';
import { number, type Table } from '../table.ts';
import { makeZombies } from '../zombies.ts';
import { type Context, type Part, SkippedError } from './part.ts';

/** Kernel memory and page cache of one, with room to spare: the others of this machine must not be squeezed. */
const kbEach = 32;
const workers = 2;

/** Paced reclaim of many dying cgroups against one drop of everything, beside a neighbour. */
export const reclaim: Part = {
  about: 'reclaim of 100,000 dying cgroups against drop_caches, beside a process that reads small files',
  where: 'host',
  measure: (context) => compare(context, context.sizes.reclaim),
};

export const reclaimMany: Part = {
  about: 'the same with 400,000, where memory allows',
  where: 'host',
  measure: (context) => compare(context, context.sizes.reclaimMany),
};

async function compare(context: Context, count: number): Promise<Table> {
  const needed = count * kbEach + context.sizes.hotMiB * 1024;
  const available = meminfo('MemAvailable');
  if (available < needed) {
    throw new SkippedError(
      `${number(count)} dying cgroups take about ${number(needed / 1024)} MiB, and ${number(available / 1024)} MiB are available`,
    );
  }
  const measured = await measureCures(context, () => makeZombies(count, context, workers));
  return {
    title: `Reclaim of ${number(count)} dying cgroups, cgroup v1`,
    columns: ['reclaim, `cpuPercent` 5', '`drop_caches=3`'],
    rows: [...cureRows(measured), ...neighbourRows(measured, true)],
  };
}
