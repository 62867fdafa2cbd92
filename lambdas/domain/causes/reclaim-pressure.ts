import type { Evidence } from '../evidence/evidence.ts';
import { probeValue } from '../evidence/probe.ts';
import {
  allocstallsPerSecond,
  directReclaimPercent,
  majorFaultsPerSecond,
  memoryStallPercent,
  minuteStallPercent,
  usualLevel,
  watchedStallPercent,
} from '../evidence/reclaiming.ts';
import type { Cause } from './cause.ts';
import { gather } from './gather.ts';
import { moreMemory, reserveMemory } from './prevent.ts';

/** Functions of the kernel that do nothing but reclaim pages. */
const reclaimers =
  /^(kswapd\d*|balance_pgdat|try_to_free_(mem_cgroup_)?pages|shrink_(in)?active_list|shrink_(page|folio)_list|isolate_lru_(page|folio)s?)$/;

const directFact = 'direct reclaim, percent of CPU';
const usualFact = 'direct reclaim over hours, percent of CPU';
const stallFact = 'time in which every task waits for memory, percent';
const watchedFact = 'time in which some task waits for memory, percent';
const kswapdFact = 'kswapd, percent of one CPU';
const hotspotFact = 'where the kernel spends its CPU';
const stallsFact = 'times a second that a task has to reclaim for itself';
const faultsFact = 'major page faults a second';
const throttledFact = 'cgroups throttled in the same window';

/** The node has too little memory for what runs on it, and the work of finding some is what everybody waits for. */
export const reclaimPressure: Cause<'reclaim-pressure'> = {
  id: 'reclaim-pressure',
  title: 'Tasks spend their CPU on finding memory, or wait for it; no leak is seen that explains it.',
  seen: 'Direct reclaim beyond directReclaimPercent, tasks that wait for memory beyond memoryStallPercent, kswapd on most of a CPU, or a profile in functions that only reclaim.',
  excludedBy: 'The stall time, and the count of direct reclaims or their share of CPU, were read and say no.',
  explains: ['cpu-quota-throttling'],

  judge(evidence, thresholds) {
    const { findings, atLeast, firstAtLeast, fact } = gather(thresholds);
    const signs = [
      atLeast({
        fact: directFact,
        value: directReclaimPercent(evidence),
        threshold: 'directReclaimPercent',
        weight: 0.6,
        source: 'estimated from pages scanned and the CPU of kswapd',
      }),
      atLeast({
        fact: usualFact,
        value: usualLevel(evidence, 'directReclaimPercent'),
        threshold: 'directReclaimPercent',
        weight: 0.5,
        source: 'median of the metric',
      }),
      firstAtLeast([
        {
          fact: stallFact,
          value: minuteStallPercent(evidence),
          threshold: 'memoryStallPercent',
          weight: 0.6,
          source: 'PSI memory, avg60',
        },
        {
          fact: watchedFact,
          value: watchedStallPercent(evidence),
          threshold: 'memoryStallPercent',
          weight: 0.6,
          source: 'PSI memory, total, over the window',
        },
      ]),
      atLeast({
        fact: kswapdFact,
        value: probeValue(evidence.probes.load)?.shares.kswapdPercent,
        threshold: 'kswapdPercent',
        weight: 0.5,
        source: 'CPU time of the kernel thread in the window',
      }),
      hotspot(evidence) === undefined
        ? undefined
        : fact({
            fact: hotspotFact,
            value: hotspot(evidence),
            speaks: 'for',
            weight: 0.55,
            source: 'profile taken by hand',
          }),
    ];
    const stalls = allocstallsPerSecond(evidence);
    if (!signs.some((sign) => sign === true)) {
      const needs = missingOf(evidence);
      return needs.length > 0
        ? { result: 'insufficient-evidence', needs, findings }
        : { result: 'excluded', findings };
    }
    atLeast({
      fact: stallsFact,
      value: stalls,
      threshold: 'allocstallsPerSecond',
      weight: 0.3,
      source: 'allocstall of /proc/vmstat',
    });
    atLeast({
      fact: faultsFact,
      value: majorFaultsPerSecond(evidence),
      threshold: 'majorFaultsPerSecond',
      weight: 0.2,
      source: 'pgmajfault of /proc/vmstat: pages that were dropped are read back',
    });
    const throttled = probeValue(evidence.probes.throttling)?.throttled;
    if (throttled !== undefined && throttled > 0) {
      const source = 'their CPU went into reclaim, which counts against their own quota';
      fact({ fact: throttledFact, value: throttled, speaks: 'for', weight: 0.1, source });
    }
    return { result: 'matches', findings };
  },

  explain(findings) {
    const seen = (name: string) =>
      findings.find(({ fact, speaks }) => fact === name && speaks === 'for')?.value;
    const direct = seen(directFact) ?? seen(usualFact);
    const parts = [
      direct === undefined ? [] : [`tasks spend ${direct} % of all CPU time on reclaim of their own`],
      seen(stallFact) === undefined ? [] : [`every task waits for memory ${seen(stallFact)} % of the time`],
      seen(watchedFact) === undefined
        ? []
        : [`some task waits for memory ${seen(watchedFact)} % of the time`],
      seen(kswapdFact) === undefined ? [] : [`kswapd takes ${seen(kswapdFact)} % of a CPU`],
      seen(hotspotFact) === undefined ? [] : [`the kernel spends its CPU in ${seen(hotspotFact)}`],
      seen(faultsFact) === undefined ? [] : [`${seen(faultsFact)} pages a second are read back from disk`],
    ].flat();
    return [
      `This node is short of memory for what runs on it: ${parts.join(', ')}.`,
      seen(throttledFact) === undefined
        ? ''
        : ` ${seen(throttledFact)} cgroups are throttled in the same window: reclaim counts against their CPU quota, so raising CPU limits would not cure it.`,
      ' No leak that would explain it was found in what was seen. Dropping caches would make it worse: the pages that are dropped are the ones that are read back.',
      ' Move pods away, or give the node more memory; find out which pods grew by their working sets.',
    ].join('');
  },

  untreated:
    'Everything on the node gets slower together, health checks begin to fail, and in the end the kubelet evicts pods, or the kernel kills them.',

  prevent: (evidence) => [...moreMemory(evidence), ...reserveMemory(evidence)],
};

function hotspot(evidence: Evidence): string | undefined {
  const hotspots = probeValue(evidence.probes.observations)?.kernelHotspots ?? [];
  return hotspots.find(({ symbol }) => reclaimers.test(symbol))?.symbol;
}

/** What has to be seen before it can be ruled out: the stalls, and either share of CPU or count of direct reclaim. */
function missingOf(evidence: Evidence): string[] {
  const counted =
    directReclaimPercent(evidence) !== undefined || allocstallsPerSecond(evidence) !== undefined;
  return [
    ...(memoryStallPercent(evidence) === undefined ? ['pressure'] : []),
    ...(counted ? [] : ['reclaim']),
  ];
}
