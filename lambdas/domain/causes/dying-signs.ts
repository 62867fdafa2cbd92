import type { Evidence } from '../evidence/evidence.ts';
import type { Observations, Tried } from '../evidence/observations.ts';
import { probeValue } from '../evidence/probe.ts';
import type { SeriesName } from '../evidence/trend.ts';
import type { Thresholds } from '../thresholds.ts';
import { courseAsReported, growthsPerDay } from '../trend.ts';
import type { Finding } from './cause.ts';
import { gather } from './gather.ts';

/** Functions that walk memory cgroups one by one; reclaim itself (shrink_…) is not among them. */
const walks =
  /^_*(mem_cgroup|memcg|css_(next|tryget|get)|cgroup_rstat|cache_reap|kmem_cache_shrink|list_lru|lruvec)/;
/** Statistics of memory cgroups. */
const statistics = /(^|\/)memory\.(stat|numa_stat|kmem\.slabinfo|usage_in_bytes|current)$/;
/** On cgroup v1 the controllers have about as many cgroups each, where memory does not leak. */
const aboveOthers = 10;
/** Kernel memory as a share of the node: a node that is well has a few percent. */
const muchPercent = 15;
/** Kernel memory that grows by this share of the node in a day does not stop before the node is full. */
const growingPercent = 1;

/** What takes the page cache, or the kernel memory, away from the dying: nothing that lives is hurt, so the living stay. */
const frees = ['drop-caches', 'reclaim', 'kmem-accounting-off'] as const satisfies Tried[];

/**
 * What speaks for dying cgroups where nobody has counted them: people who looked by hand, and the course of kernel
 * memory. One sign alone has other explanations; two that have nothing to do with each other are enough.
 */
export function dyingSigns(
  evidence: Evidence,
  thresholds: Thresholds,
): { findings: Finding[]; enough: boolean } {
  const seen = probeValue(evidence.probes.observations);
  const { findings, atLeast, firstAtLeast, fact } = gather(thresholds);
  const memory = seen?.controllers.memory;
  const others = othersThan('memory', seen);

  const leaking = seen?.leakingController ?? undefined;
  const leaks = fact({
    fact: 'controller whose cgroups pile up',
    value: leaking,
    speaks: leaking === 'memory' ? 'for' : 'against',
    source: 'as observed by hand',
    ...(leaking === 'memory' ? { weight: 0.4 } : {}),
  });
  // Registered and not known to be directories: most of that many can only be dying, unless directories leak as well.
  const registered = atLeast({
    fact: 'memory cgroups that the kernel counts',
    value: memory,
    threshold: 'liveCgroups',
    weight: 0.4,
    source: '/proc/cgroups',
  });
  const aside = atLeast({
    fact: 'memory cgroups for each of the next largest controller',
    value: memory === undefined || others === undefined ? undefined : memory / Math.max(1, others),
    threshold: aboveOthers,
    weight: 0.3,
    source: '/proc/cgroups; the other controllers do not keep what page cache is charged to',
  });
  const symbol = seen?.kernelHotspots.find((hotspot) => walks.test(hotspot.symbol))?.symbol;
  const walking = fact({
    fact: 'kernel function that takes the CPU',
    value: symbol,
    speaks: 'for',
    weight: 0.45,
    source: 'it walks memory cgroups one by one',
  });
  const slow = seen?.slowFiles.find((file) => statistics.test(file));
  const slowly = fact({
    fact: 'file that takes long to read',
    value: slow,
    speaks: 'for',
    weight: 0.4,
    source: 'the kernel adds it up over all memory cgroups below, the dying among them',
  });
  const helped = seen?.tried.find(({ what, helped }) => helped && frees.some((free) => free === what));
  const freed = fact({
    fact: 'what helped when it was tried',
    value: helped?.what,
    speaks: 'for',
    weight: 0.4,
    source: 'it lets go of what keeps dying cgroups alive, and of no directory',
  });
  const grows = kernelMemory(evidence, seen, { findings, firstAtLeast, fact });
  const each = seen?.leftovers.find(({ what }) => what === 'kernel-memory' || what === 'dying-cgroup');
  const left = fact({
    fact: 'what leaves some of it each time',
    value: each?.after,
    speaks: 'for',
    weight: 0.4,
    source: 'as observed: its cgroup stays in the kernel',
  });
  const signs = [registered || aside || leaks, walking || slowly, freed, grows, left].filter(Boolean);
  return { findings, enough: signs.length >= 2 };
}

type Gathering = Pick<ReturnType<typeof gather>, 'findings' | 'firstAtLeast' | 'fact'>;

/** Kernel memory that is large for the node, or that grows: dying cgroups are slab that cannot be reclaimed, and percpu. */
function kernelMemory(
  evidence: Evidence,
  seen: Observations | undefined,
  { findings, firstAtLeast, fact }: Gathering,
): boolean {
  const read = probeValue(evidence.probes.memory);
  const told = seen?.memory;
  const totals = [read, told].flatMap((memory) => memory?.totalKb || []);
  const much = firstAtLeast(
    [read, told].map((memory) => ({
      fact: 'unreclaimable slab and percpu memory, percent of the node',
      value: heldPercent(memory, memory?.totalKb || totals[0]),
      threshold: muchPercent,
      weight: 0.3,
      source: '/proc/meminfo; a node that is well has a few percent',
    })),
  );
  const rising = (['slabUnreclaimableKb', 'percpuKb'] as const).map((name) => {
    const growth = `growth of ${names[name]}, percent of the node per day`;
    const measured = firstAtLeast(
      totals.flatMap((totalKb) =>
        growthsPerDay(evidence, name).map(({ perDay }) => ({
          fact: growth,
          value: (perDay * 100) / totalKb,
          threshold: growingPercent,
          weight: 0.3,
          source: 'trend of the kernel memory',
        })),
      ),
    );
    const course = courseAsReported(evidence, name);
    const rises = course === 'rises';
    // A number has the answer; the word is found beside it only where it says more than any (see `firstOf` of gather.ts).
    const numberRises = findings.some(({ fact, speaks }) => fact === growth && speaks === 'for');
    if (numberRises || (measured === false && !rises)) return measured;
    const said = fact({
      fact: `course of ${names[name]}`,
      value: course ?? undefined,
      speaks: rises ? 'for' : 'against',
      source: 'as reported, without a number',
      ...(rises ? { weight: 0.3 } : {}),
    });
    return measured ?? said;
  });
  return [much, ...rising].some(Boolean);
}

const names = {
  slabUnreclaimableKb: 'unreclaimable slab',
  percpuKb: 'percpu memory',
} as const satisfies Partial<Record<SeriesName, string>>;

type KernelMemory = { slabUnreclaimableKb: number | null; percpuKb: number | null };

function heldPercent(memory: KernelMemory | undefined, totalKb: number | undefined): number | undefined {
  const { slabUnreclaimableKb = null, percpuKb = null } = memory ?? {};
  if (totalKb === undefined || (slabUnreclaimableKb === null && percpuKb === null)) return undefined;
  return (((slabUnreclaimableKb ?? 0) + (percpuKb ?? 0)) * 100) / totalKb;
}

function othersThan(controller: string, seen: Observations | undefined): number | undefined {
  const others = Object.entries(seen?.controllers ?? {}).filter(([name]) => name !== controller);
  return others.length === 0 ? undefined : Math.max(...others.map(([, count]) => count));
}
