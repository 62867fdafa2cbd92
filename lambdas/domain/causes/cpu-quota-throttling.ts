import type * as z from 'zod';
import type { Evidence } from '../evidence/evidence.ts';
import { kernelVersions } from '../evidence/kubelet-figures.ts';
import { probeValue } from '../evidence/probe.ts';
import {
  allocstallsPerSecond,
  directReclaimPercent,
  memoryStallPercent,
  usualLevel,
} from '../evidence/reclaiming.ts';
import type { Throttling } from '../evidence/window.ts';
import type { Thresholds } from '../thresholds.ts';
import { isOlder, isWithin } from '../version.ts';
import type { Cause, Prevention } from './cause.ts';
import { gather } from './gather.ts';

type Throttled = z.infer<typeof Throttling>['top'][number];

/** Fewer periods than this make no ratio: at 100 ms each, a second of the window. */
const leastPeriods = 10;

const ratioFact = 'share of its periods in which it was throttled';
const usualFact = 'throttled share of periods, over hours';
const whoFact = 'cgroup that is throttled most';
const quotaFact = 'its quota, in CPUs';
const othersFact = 'cgroups throttled in the window';
const pinnedFact = 'CPUs that its cpuset leaves it';
const helpedFact = 'taking the CPU limit away';
const reclaimFact = 'direct reclaim in the same window';
const kernelFact = 'kernel with the fault of CFS quotas';

/** A pod uses up its own CPU quota; the node is fine. */
export const cpuQuotaThrottling: Cause<'cpu-quota-throttling'> = {
  id: 'cpu-quota-throttling',
  title: 'Pods use up their own CPU quota and are throttled; the node has CPU to spare and does not reclaim.',
  seen: 'A cgroup throttled in more than throttledRatio of its periods, now or over hours; a pinned one whose CPUs cannot use up its quota and that is throttled all the same; or a CPU limit whose removal helped.',
  excludedBy:
    'No cgroup is throttled that much; removing the limit did not help; or tasks reclaim memory in the same window, which eats their quota.',

  judge(evidence, thresholds) {
    const { findings, atLeast, fact } = gather(thresholds);
    const worst = worstOf(evidence);
    const byWindow = atLeast({
      fact: ratioFact,
      value: worst && worst.throttledPeriods / worst.periods,
      threshold: 'throttledRatio',
      weight: 0.6,
      source: worst === undefined ? '' : `${worst.throttledPeriods} of ${worst.periods} periods, cpu.stat`,
    });
    const usual = usualLevel(evidence, 'throttledRatio');
    const byTrend = atLeast({
      fact: usualFact,
      value: usual,
      threshold: 'throttledRatio',
      weight: 0.5,
      source: 'median of the metric',
    });
    const pinned = pinnedOf(evidence);
    if (pinned !== undefined) {
      fact({
        fact: pinnedFact,
        value: pinned.cpus ?? 0,
        speaks: 'for',
        weight: 0.6,
        source: `its quota is as much as they can give, and it was throttled in ${pinned.throttledPeriods} of ${pinned.periods} periods all the same`,
      });
    }
    const helped = probeValue(evidence.probes.observations)?.tried.find(
      ({ what }) => what === 'remove-cpu-limit',
    )?.helped;
    if (helped !== undefined) {
      fact({
        fact: helpedFact,
        value: helped ? 'helped' : 'did not help',
        speaks: helped ? 'for' : 'against',
        ...(helped ? { weight: 0.75 } : {}),
        source: 'tried by hand',
      });
    }
    if (helped === false) return { result: 'excluded', findings };
    if (!byWindow && !byTrend && pinned === undefined && !helped) {
      return byWindow === undefined &&
        byTrend === undefined &&
        probeValue(evidence.probes.throttling) === undefined
        ? { result: 'insufficient-evidence', needs: ['throttling'], findings }
        : { result: 'excluded', findings };
    }

    // Reclaim is charged to the task that has to do it: then memory is what eats the quota.
    const reclaimed = reclaims(evidence, thresholds);
    if (reclaimed !== undefined) {
      fact({
        fact: reclaimFact,
        value: reclaimed ? describeReclaim(evidence) : 'next to none',
        speaks: reclaimed ? 'against' : 'for',
        ...(reclaimed ? {} : { weight: 0.5 }),
        source: 'the CPU that a task spends on reclaim counts against its own quota',
      });
    }
    if (reclaimed) return { result: 'excluded', findings };

    const who = pinned ?? (byWindow ? worst : undefined);
    if (who !== undefined) {
      fact({ fact: whoFact, value: who.pod ?? who.path, speaks: 'for', source: `cpu.stat of ${who.path}` });
      const quota = quotaOf(who);
      if (quota !== undefined) {
        fact({ fact: quotaFact, value: quota, speaks: 'for', source: 'quota divided by period, cpu.max' });
      }
    }
    const throttling = probeValue(evidence.probes.throttling);
    if (throttling !== undefined && throttling.throttled > 0) {
      const source = `of ${throttling.withQuota} that have a quota and were awake`;
      fact({ fact: othersFact, value: throttling.throttled, speaks: 'for', source });
    }
    const kernel = kernelVersions(evidence).find(hasQuotaFault);
    if (kernel !== undefined) {
      fact({
        fact: kernelFact,
        value: kernel,
        speaks: 'for',
        weight: 0.2,
        source:
          'quota that was not used within its slice expired (kubernetes#67577); fixed in 5.4, 4.19.84 and 4.14.154, if the distribution has not done so before',
      });
    }
    return { result: 'matches', findings };
  },

  explain(findings) {
    const value = (name: string) => findings.find(({ fact }) => fact === name)?.value;
    const ratio = value(ratioFact) ?? value(usualFact);
    const who = value(whoFact);
    const quota = value(quotaFact);
    const reclaim = value(reclaimFact);
    const kernel = value(kernelFact);
    return [
      who === undefined ? 'A pod uses up its own CPU quota' : `${who} uses up its own CPU quota`,
      quota === undefined ? '' : ` of ${quota} CPUs`,
      typeof ratio === 'number' ? ` and was throttled in ${Math.round(ratio * 100)} % of its periods` : '',
      value(pinnedFact) === undefined
        ? '.'
        : ', although the CPUs that it is pinned to cannot give it more than that.',
      value(helpedFact) === undefined ? '' : ' Taking the limit away by hand has helped.',
      reclaim === undefined
        ? ' Whether reclaim ate part of that quota was not seen.'
        : ` Direct reclaim in the same window: ${reclaim}, so memory is not what slows it down.`,
      kernel === undefined
        ? ''
        : ` Kernel ${kernel} throttles pods that have not used up their quota; that is fixed in 5.4, 4.19.84 and 4.14.154.`,
      reclaim === undefined
        ? ' If it did not, nothing on the node is to be treated.'
        : ' The node itself is fine: nothing on it is to be treated.',
      ' Whoever owns the pod raises its CPU limit or takes it away.',
    ].join('');
  },

  untreated:
    'The pod answers late and times out whenever it needs more CPU than its limit; nothing else on the node suffers.',

  prevent(evidence, findings) {
    const who = findings.find(({ fact }) => fact === whoFact)?.value;
    const kernel = findings.find(({ fact }) => fact === kernelFact)?.value;
    const pinned = findings.find(({ fact }) => fact === pinnedFact);
    const limit: Prevention = {
      what:
        pinned === undefined
          ? 'raise the CPU limit above what the pod needs at its peaks, or leave it out and keep the request'
          : 'leave the CPU limit out for a pod with CPUs of its own: they are its limit',
      where: `resources.limits.cpu of ${who === undefined ? 'the container that is throttled' : `the containers of ${who}`}, in the object that owns the pod`,
      because: 'a pod is throttled by its own quota, and by nothing else',
    };
    const unaware: Prevention[] =
      pinned === undefined && (probeValue(evidence.probes.host)?.cpus ?? 0) > 4
        ? [
            {
              what: 'give the runtime in the container as many threads as its limit has CPUs',
              where:
                'GOMAXPROCS, -XX:ActiveProcessorCount or their like, in the environment of the container',
              because: `on ${probeValue(evidence.probes.host)?.cpus} CPUs, threads for all of them use up a small quota in the first milliseconds of a period`,
            },
          ]
        : [];
    const upgrade: Prevention[] =
      kernel === undefined
        ? []
        : [
            {
              what: 'an AMI with kernel 5.4 or later; AL2023 has 6.1 and later',
              where: 'the AMI of the launch template, or the release version of the managed node group',
              because: `kernel ${kernel} throttles pods that have not used up their quota`,
            },
          ];
    return [limit, ...unaware, ...upgrade];
  },
};

/** The cgroup with the highest ratio, of those that were awake for long enough to have one. */
function worstOf(evidence: Evidence): Throttled | undefined {
  const top = probeValue(evidence.probes.throttling)?.top ?? [];
  return top
    .filter(({ periods }) => periods >= leastPeriods)
    .sort((a, b) => b.throttledPeriods / b.periods - a.throttledPeriods / a.periods)[0];
}

/** One that is throttled although the CPUs of its cpuset cannot give it more than its quota: only the quota can be why. */
function pinnedOf(evidence: Evidence): Throttled | undefined {
  return (probeValue(evidence.probes.throttling)?.top ?? []).find((cgroup) => {
    const quota = quotaOf(cgroup);
    const { cpus, periods, throttledPeriods } = cgroup;
    if (quota === undefined || cpus === null || cpus === 0) return false;
    return quota >= cpus && throttledPeriods > 0 && periods >= leastPeriods;
  });
}

function quotaOf({ quotaUs, periodUs }: Throttled): number | undefined {
  return quotaUs === null || periodUs === null ? undefined : quotaUs / periodUs;
}

/**
 * Whether tasks reclaimed for themselves while we watched: yes, no, or not known. It takes one sign to say yes, and the
 * kernel's count of the stalls, or the share of CPU, to say no.
 */
function reclaims(evidence: Evidence, thresholds: Thresholds): boolean | undefined {
  const percent = directReclaimPercent(evidence);
  const stalls = allocstallsPerSecond(evidence);
  const waits = memoryStallPercent(evidence);
  if ((percent ?? 0) >= thresholds.directReclaimPercent || (waits ?? 0) >= thresholds.memoryStallPercent)
    return true;
  if (percent === undefined && (stalls === undefined || stalls >= thresholds.allocstallsPerSecond))
    return undefined;
  return false;
}

function describeReclaim(evidence: Evidence): string {
  const percent = directReclaimPercent(evidence);
  return percent === undefined
    ? `every task waits for memory ${memoryStallPercent(evidence)} % of the time`
    : `${percent} % of CPU`;
}

/**
 * Whether unused quota expires: up to commit 512ac999 (4.18) by a clock that drifts, from then on by design, until
 * commit de53fd7a in 5.4, which the long-term series have from 4.14.154 and 4.19.84 on.
 */
export function hasQuotaFault(kernel: string): boolean {
  const fixedBefore =
    isWithin(kernel, '4.14.154', '4.15') === true || isWithin(kernel, '4.19.84', '4.20') === true;
  return isOlder(kernel, '5.4') === true && !fixedBefore;
}
