import type { Evidence, Slice } from '../evidence/evidence.ts';
import { probeValue } from '../evidence/probe.ts';
import { leastDying, slicesWithZombies } from '../evidence/zombies.ts';
import { growthsPerDay } from '../trend.ts';
import type { Cause, Finding } from './cause.ts';
import { dyingSigns } from './dying-signs.ts';
import { gather } from './gather.ts';
import { calmTheBusiest, moveToV2, sameDriver, stayWithScaleOut } from './prevent.ts';

/** What one dying cgroup costs on 2 CPUs: 18 to 20 KiB (docs/performance.md); it grows with the number of CPUs. */
const kbPerDying = 20;
/** A node on which the hidden cgroups outnumber the visible ones this many times leaks; it is not merely busy. */
const outnumbers = 2;

const mostOfThem = 'slice that holds most of them';
const mostOfTheirCache = 'slice where they hold most page cache';
const costFact = 'memory they cost, percent of the node';
const countFact = 'dying memory cgroups';

/** Memory cgroups that were removed and that the page cache charged to them keeps alive. */
export const dyingMemcgs: Cause<'dying-memcgs'> = {
  id: 'dying-memcgs',
  title: 'Memory cgroups that were removed and that page cache charged to them keeps in the kernel.',
  seen: 'Dying memory cgroups by number, by what they cost, or by their growth. Where nobody counted them: two signs of them that have nothing to do with each other (a kernel counter beyond liveCgroups or far above the other controllers, a profile in functions that walk memory cgroups, kernel memory that is large or rises, caches whose drop helped, something that leaves kernel memory each time).',
  excludedBy: 'They were counted, and they are few, cheap and stable.',
  explains: ['reclaim-pressure', 'oversubscribed-node'],

  judge(evidence, thresholds) {
    const cgroups = probeValue(evidence.probes.cgroups);
    const dying = dyingCount(evidence);
    const signs = dyingSigns(evidence, thresholds);
    if (dying === undefined) {
      return signs.enough
        ? { result: 'matches', findings: signs.findings }
        : { result: 'insufficient-evidence', needs: ['cgroups'], findings: signs.findings };
    }
    const memory = probeValue(evidence.probes.memory);
    const { findings, atLeast, firstAtLeast, fact } = gather(thresholds);

    const byCount = atLeast({
      fact: countFact,
      value: dying,
      threshold: 'dyingCount',
      weight: 0.7,
      source: `counted from ${cgroups?.source ?? 'the report'}`,
    });
    const byCost = atLeast({
      fact: costFact,
      value: memory && round1((dying * kbPerDying * 100) / memory.totalKb),
      threshold: 'dyingMemoryPercent',
      weight: 0.4,
      source: `about ${kbPerDying} KiB each, more with many CPUs`,
    });
    const byGrowth =
      dying > thresholds.dyingFloor
        ? firstAtLeast(
            growthsPerDay(evidence, 'dying').map(({ perDay, source }) => ({
              fact: 'their growth, per day',
              value: perDay,
              threshold: 'dyingPerDay',
              weight: 0.6,
              source,
            })),
          )
        : undefined;
    findings.push(...signs.findings);
    if (!byCount && !byCost && !byGrowth && !signs.enough) {
      // Few by number may still be dear; without the node's memory that stays open.
      return memory === undefined
        ? { result: 'insufficient-evidence', needs: ['memory'], findings }
        : { result: 'excluded', findings };
    }

    if (cgroups !== undefined && dying >= outnumbers * cgroups.live) {
      findings.push({
        fact: 'live memory cgroups beside them',
        value: cgroups.live,
        threshold: Math.floor(dying / outnumbers),
        speaks: 'for',
        weight: 0.5,
        source: `the hidden outnumber the visible at least ${outnumbers} to 1`,
      });
    }
    const [first] = slicesWithZombies(evidence);
    if (first !== undefined) fact({ ...holderOf(first), value: first.path, speaks: 'for' });
    return { result: 'matches', findings };
  },

  explain(findings) {
    const value = (fact: string) => findings.find((finding) => finding.fact === fact)?.value;
    const counted = value(mostOfThem);
    const cached = value(mostOfTheirCache);
    const cost = value(costFact);
    const count = value(countFact);
    return [
      count === undefined
        ? `Nobody has counted them, but what was seen is what memory cgroups do that were removed and are still in the kernel (${signsIn(findings)})`
        : `${count} memory cgroups were removed but are still in the kernel`,
      counted === undefined ? '.' : `, most of them below ${counted}.`,
      ' The page cache charged to them keeps them alive; they show in no directory.',
      cached === undefined
        ? ''
        : ` cgroup v1 does not count them by slice; most page cache without a living owner is charged below ${cached}.`,
      cost === undefined ? '' : ` They cost about ${cost} % of the node's memory`,
      cost === undefined ? '' : ', and CPU in every walk of the cgroup tree (kubelet, cadvisor, reclaim).',
      ' No kernel before 7.1 frees them by itself. Reclaim frees them without a restart; it does not stop what makes them.',
    ].join('');
  },

  untreated:
    'They add up: each holds kernel memory, and every walk of the cgroup tree by kubelet, cadvisor and reclaim visits them all, so the node gets slower and has less memory every day.',

  prevent: (evidence) => [
    ...calmTheBusiest(evidence),
    ...moveToV2(evidence),
    ...sameDriver(evidence),
    ...stayWithScaleOut(
      'new nodes of the same image run the same jobs, and fill up with dying cgroups as this one did',
    ),
  ],
};

/** The larger, where the node has counted them and somebody has written down another number. */
function dyingCount({ probes }: Evidence): number | undefined {
  const told = probeValue(probes.observations)?.cgroups.dying ?? undefined;
  const counted = probeValue(probes.cgroups)?.dying;
  return counted === undefined || told === undefined ? (counted ?? told) : Math.max(counted, told);
}

/** On cgroup v1 only the page cache says where they are, and one dying cgroup can hold more of it than a thousand. */
function holderOf({ dying, ghostKb }: Slice): Pick<Finding, 'fact' | 'source' | 'threshold' | 'weight'> {
  // On v1 only the cache is known, which says nothing of how many.
  return dying === null
    ? { fact: mostOfTheirCache, source: `${ghostKb} KiB of page cache charged to no living cgroup` }
    : {
        fact: mostOfThem,
        source: `${dying} dying, cgroup.stat of the slice`,
        threshold: `${leastDying} dying`,
        weight: 0.4,
      };
}

function signsIn(findings: Finding[]): string {
  return findings
    .filter(({ speaks }) => speaks === 'for')
    .map(({ fact, value }) => `${fact}: ${value}`)
    .join('; ');
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
