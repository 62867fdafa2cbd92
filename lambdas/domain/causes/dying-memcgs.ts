import type { Slice } from '../evidence/evidence.ts';
import { probeValue } from '../evidence/probe.ts';
import { slicesWithZombies } from '../evidence/zombies.ts';
import type { Cause, Finding } from './cause.ts';
import { confidenceFrom } from './confidence.ts';

/** What one dying cgroup costs on 2 CPUs: 18 to 20 KiB (docs/performance.md); it grows with the number of CPUs. */
const kbPerDying = 20;
/** A node on which the hidden cgroups outnumber the visible ones this many times leaks; it is not merely busy. */
const outnumbers = 2;

/** Memory cgroups that were removed and that the page cache charged to them keeps alive. */
export const dyingMemcgs: Cause = {
  id: 'dying-memcgs',

  judge(evidence, thresholds) {
    const cgroups = probeValue(evidence.probes.cgroups);
    if (cgroups === undefined) return { result: 'insufficient-evidence', needs: ['cgroups'], findings: [] };

    const memory = probeValue(evidence.probes.memory);
    const costPercent = memory && round1((cgroups.dying * kbPerDying * 100) / memory.totalKb);
    const byCount = cgroups.dying >= thresholds.dyingCount;
    const byCost = costPercent !== undefined && costPercent >= thresholds.dyingMemoryPercent;

    const count: Finding = {
      fact: 'dying memory cgroups',
      value: cgroups.dying,
      threshold: thresholds.dyingCount,
      speaks: byCount ? 'for' : 'against',
      source: `settings thresholds.dyingCount; counted from ${cgroups.source}`,
    };
    const cost: Finding[] =
      costPercent === undefined
        ? []
        : [
            {
              fact: 'memory they cost, percent of the node',
              value: costPercent,
              threshold: thresholds.dyingMemoryPercent,
              speaks: byCost ? 'for' : 'against',
              source: `settings thresholds.dyingMemoryPercent; about ${kbPerDying} KiB each, more with many CPUs`,
            },
          ];
    if (!byCount && !byCost) {
      // Few by number may still be dear; without the node's memory that stays open.
      return memory === undefined
        ? { result: 'insufficient-evidence', needs: ['memory'], findings: [count] }
        : { result: 'excluded', findings: [count, ...cost] };
    }

    const findings = [count, ...cost];
    const weights = [byCount ? 0.7 : 0, byCost ? 0.4 : 0];
    if (cgroups.dying >= outnumbers * cgroups.live) {
      weights.push(0.5);
      findings.push({
        fact: 'live memory cgroups beside them',
        value: cgroups.live,
        threshold: Math.floor(cgroups.dying / outnumbers),
        speaks: 'for',
        source: `the hidden outnumber the visible at least ${outnumbers} to 1`,
      });
    }
    const [first] = slicesWithZombies(evidence);
    if (first !== undefined) {
      // On v1 only the cache is known, which says nothing of how many.
      if (first.dying !== null) weights.push(0.4);
      findings.push({ ...holderOf(first), value: first.path, speaks: 'for' });
    }
    return { result: 'matches', confidence: confidenceFrom(weights), findings };
  },

  explain(findings) {
    const value = (fact: string) => findings.find((finding) => finding.fact === fact)?.value;
    const counted = value(mostOfThem);
    const cached = value(mostOfTheirCache);
    const cost = value('memory they cost, percent of the node');
    return [
      `${value('dying memory cgroups')} memory cgroups were removed but are still in the kernel`,
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
};

const mostOfThem = 'slice that holds most of them';
const mostOfTheirCache = 'slice where they hold most page cache';

/** On cgroup v1 only the page cache says where they are, and one dying cgroup can hold more of it than a thousand. */
function holderOf({ dying, ghostKb }: Slice): Pick<Finding, 'fact' | 'source'> {
  return dying === null
    ? { fact: mostOfTheirCache, source: `${ghostKb} KiB of page cache charged to no living cgroup` }
    : { fact: mostOfThem, source: `${dying} dying, cgroup.stat of the slice` };
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
