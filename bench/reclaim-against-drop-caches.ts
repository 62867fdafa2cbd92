import { cureRows, measureCures } from './cures.ts';
import { type Context, fullSizes } from './node/part.ts';
import { number, type Table } from './table.ts';
import { makeZombies } from './zombies.ts';

const leakSize = 50_000;

/** At least 50,000 dying cgroups and 1 GiB of page cache that has nothing to do with them; twice, once for each way. */
export async function reclaimAgainstDropCaches(tools: Omit<Context, 'sizes'>): Promise<Table> {
  const context = { ...tools, sizes: fullSizes };
  const measured = await measureCures(context, () => makeZombies(leakSize, context));
  return {
    title: 'Reclaim against drop_caches, on the same leak',
    columns: ['reclaim', '`drop_caches=3`'],
    rows: [
      ...cureRows(measured),
      {
        what: 'kernel memory (slab and percpu) of one dying cgroup, KiB',
        figures: [measured.ours, measured.theirs].map(({ kernelKb, before, base }) =>
          number(kernelKb / (before - base), 1),
        ),
      },
    ],
  };
}
