import type { VariantName } from '../../local/vm/variants.ts';
import { loadDocument } from '../../ssm-documents/load.ts';
import { number, percent, type Row } from '../table.ts';
import { type Guest, withGuest } from './guest.ts';
import type { Context, Part } from './part.ts';

const otherMiB = 64;

/** A kernel, and for the one that can do both, which kind of LRU it has. */
type Kernel = { name: string; variant: VariantName; mglru?: boolean };

const kernels: readonly Kernel[] = [
  { name: '6.1, classic LRU', variant: 'v2', mglru: false },
  { name: '6.1, MGLRU', variant: 'v2', mglru: true },
  { name: '6.12', variant: '6.12' },
];

/** One way to free the dying cgroups of a slice. */
type Way = { name: string; cure: (guest: Guest, slice: string) => Promise<void> };

type Seen = { before: number; after: number; live: number; other: number; liveBytes: number };

const shipped: Way = { name: 'reclaim, as shipped', cure: (guest, slice) => reclaim(guest, slice) };
const dropped: Way = {
  name: '`sync`, `drop_caches=3`',
  cure: async (guest) => void (await guest.sh('sync; echo 3 >/proc/sys/vm/drop_caches')),
};
const tried: readonly Way[] = [
  { name: 'writes of 8 MiB', cure: (guest, slice) => reclaim(guest, slice, 8) },
  { name: 'writes of 16 MiB', cure: (guest, slice) => reclaim(guest, slice, 16) },
  {
    name: '`sync` first',
    cure: async (guest, slice) => {
      await guest.sh('sync');
      await reclaim(guest, slice);
    },
  },
  {
    name: 'a second pass, 5 s later',
    cure: async (guest, slice) => {
      await reclaim(guest, slice);
      await guest.sh('sleep 5');
      await reclaim(guest, slice);
    },
  },
];

/** What the shipped script keeps and leaves on cgroup v2, where the dying share a slice with the living. */
export const shield: Part = {
  about:
    'reclaim on cgroup v2 (6.1 with both LRUs, 6.12): the page cache of the living, in the slice and beside it',
  where: 'vm',
  measure: async (context) => {
    const seen = await measureAll(context, [shipped, dropped]);
    return {
      title: 'Protected reclaim on cgroup v2, in virtual nodes',
      columns: [shipped.name, dropped.name],
      rows: seen.flatMap(({ kernel, ways: [ours, theirs] }) =>
        ours === undefined || theirs === undefined ? [] : shieldRows(kernel, ours, theirs),
      ),
    };
  },
};

/** Other recipes than the shipped one, on the same leak. */
export const recipes: Part = {
  about: 'other ways to write memory.reclaim, on the same kernels',
  where: 'vm',
  measure: async (context) => {
    const seen = await measureAll(context, tried);
    return {
      title:
        'Recipes for reclaim on cgroup v2: dying before → after; page cache of the living in the slice kept',
      columns: seen.map(({ kernel }) => kernel),
      rows: tried.map(({ name }, index) => ({
        what: name,
        figures: seen.map(({ ways }) => {
          const one = ways[index];
          return one === undefined
            ? '–'
            : `${number(one.before)} → ${number(one.after)}; ${percent(one.live, one.liveBytes)}`;
        }),
      })),
    };
  },
};

function shieldRows(kernel: string, ours: Seen, theirs: Seen): Row[] {
  const row = (what: string, show: (one: Seen) => string): Row => ({
    what: `${kernel}: ${what}`,
    figures: [show(ours), show(theirs)],
  });
  return [
    {
      ...row('dying, before → after', ({ before, after }) => `${number(before)} → ${number(after)}`),
      bar: {
        text: 'at most what drop_caches leaves + 1 % of the start',
        met: ours.after <= theirs.after + ours.before * 0.01,
      },
    },
    {
      ...row('page cache of the living in the same slice kept', ({ live, liveBytes }) =>
        percent(live, liveBytes),
      ),
      bar: { text: 'at least 95 %', met: ours.live >= 0.95 * ours.liveBytes },
    },
    {
      ...row(`of another slice, ${otherMiB} MiB`, ({ other }) => percent(other, otherMiB * 2 ** 20)),
      bar: { text: 'at least 99 %', met: ours.other >= 0.99 * otherMiB * 2 ** 20 },
    },
  ];
}

async function measureAll(
  context: Context,
  ways: readonly Way[],
): Promise<{ kernel: string; ways: Seen[] }[]> {
  const all: { kernel: string; ways: Seen[] }[] = [];
  for (const kernel of kernels) {
    all.push(
      await withGuest(kernel.variant, context, async (guest) => {
        const lru = '/sys/kernel/mm/lru_gen/enabled';
        if (kernel.mglru !== undefined) await guest.sh(`echo ${kernel.mglru ? 'y' : 'n'} >${lru}`);
        const enabled = await guest.sh(`cat ${lru} 2>/dev/null || echo none`);
        const name = `${kernel.name} (lru_gen ${enabled})`;
        const seen: Seen[] = [];
        for (const [index, way] of ways.entries()) {
          context.say(`  ${name}: ${way.name}`);
          seen.push(await measureWay(guest, context, way, index));
        }
        return { kernel: name, ways: seen };
      }),
    );
  }
  return all;
}

async function measureWay(
  guest: Guest,
  { sizes, say }: Context,
  { cure }: Way,
  index: number,
): Promise<Seen> {
  const slice = `/leak${index}.slice`;
  const live = await guest.hotService(`live${index}`, slice.slice(1), sizes.guestHotMiB);
  const other = await guest.hotService(`other${index}`, `other${index}.slice`, otherMiB);
  await guest.leak(slice, sizes.guestZombies);
  const liveBytes = await guest.cacheOf(live);
  const before = await guest.dying(slice);
  await cure(guest, slice);
  // What was freed last goes away last.
  await guest.sh('sleep 5');
  const seen: Seen = {
    before,
    after: await guest.dying(slice),
    live: await guest.cacheOf(live),
    other: await guest.cacheOf(other),
    liveBytes,
  };
  say(`    ${JSON.stringify(seen)}`);
  await guest.sh(
    `systemctl stop live${index} other${index}; rm -rf /var/tmp/live${index} /var/tmp/other${index} /var/tmp/leak-*`,
  );
  return seen;
}

async function reclaim(guest: Guest, slice: string, writeMiB?: number): Promise<void> {
  const { status, stderr } = await guest.node.runDocument({
    content: writeMiB === undefined ? loadDocument('reclaim').content : withWrites(writeMiB),
    parameters: {
      slices: slice,
      // The emulated CPU is slow: what is measured is what is freed and kept, not how it is paced.
      cpuPercent: '50',
      maxSeconds: '300',
      psiFullLimit: '0',
      ioFullLimit: '0',
      incident: `bench${slice.replaceAll('/', '-').replaceAll('.', '-')}`,
      fencing: '1',
      dryRun: 'false',
    },
  });
  if (status !== 'Success') throw new Error(`reclaim ended as ${status}: ${stderr}`);
}

/** The shipped script with writes of another size. */
function withWrites(mib: number) {
  const { content } = loadDocument('reclaim');
  const size = /^WRITE_KB=\d+$/m;
  return {
    ...content,
    mainSteps: content.mainSteps.map((step) => {
      const script = step.inputs.runCommand.join('\n');
      if (!size.test(script)) throw new Error('reclaim.sh no longer has a line WRITE_KB=…');
      return {
        ...step,
        inputs: { ...step.inputs, runCommand: [script.replace(size, `WRITE_KB=${mib * 1024}`)] },
      };
    }),
  };
}
