import type { Evidence } from '../evidence/evidence.ts';
import { kubeletRssKb, kubeletStartedSecondsAgo } from '../evidence/kubelet-figures.ts';
import { recentKubeletKills } from '../evidence/oom-kills.ts';
import { probeValue } from '../evidence/probe.ts';
import { growthPerDay } from '../trend.ts';
import type { Cause, Finding, Prevention } from './cause.ts';
import { gather } from './gather.ts';
import { where } from './where.ts';

/** After a start the kubelet looks at every container again: 30 to 90 s of slow relists and pod workers are the rule. */
const stormSeconds = 90;
/** One that was started this recently and is slow is still in it; later, slowness has another reason. */
const longestStorm = 600;
/** Exit status of a process that SIGKILL ended, as systemd keeps it. */
const killed = 9;

const killsFact = 'OOM kills of the kubelet';
const consoleFact = 'OOM kills of the kubelet on the console';
const resultFact = 'how the unit of the kubelet ended last';
const limitFact = 'memory limit of its unit, MB';
const nearFact = 'its memory as percent of that limit';
const startedFact = 'the kubelet was started, seconds ago';
const relistFact = 'relist of the pod lifecycle generator, 99th percentile in seconds';

const stages = {
  climbing: 'It was killed, or is near its limit, and its memory climbs: the next kill is ahead.',
  killed: 'It was killed and does not run again, or nobody saw it start.',
  storm:
    'It has just been started again and looks at every container of the node: relists and pod workers are slow.',
  settling: 'It was killed, runs again, and is quiet so far.',
} as const satisfies Record<string, string>;
type Stage = keyof typeof stages;

/**
 * The kernel kills the kubelet for want of memory, again and again. Where its leak is seen as well, this is the
 * diagnosis: the leak takes days, and the node is NotReady now.
 */
export const kubeletOomCycle: Cause<'kubelet-oom-cycle'> = {
  id: 'kubelet-oom-cycle',
  title: 'The kernel kills the kubelet for want of memory; systemd starts it again, and it climbs anew.',
  seen: 'An OOM kill of the kubelet in the log of the kernel, on the console or as the result of its unit; or its memory close to the limit of its own unit.',
  excludedBy: 'Nobody killed it, and it is far from its limit or has none.',
  variants: stages,
  // A kubelet that is killed for its memory takes the memory of its node, and pods are killed beside it.
  explains: ['kubelet-leak', 'workload-leak'],

  judge(evidence, thresholds) {
    const { findings, atLeast, atMost, fact } = gather(thresholds);
    const kubelet = probeValue(evidence.probes.kubelet);
    const metrics = probeValue(evidence.probes.kubeletMetrics);
    const kills = recentKubeletKills(evidence);

    const inLog = atLeast({
      fact: killsFact,
      value: kills,
      threshold: 'oomKills',
      weight: 0.7,
      source: 'log of the kernel',
    });
    const onConsole = atLeast({
      fact: consoleFact,
      value: probeValue(evidence.probes.console)?.ofKubelet,
      threshold: 'oomKills',
      weight: 0.6,
      source: 'console output of the instance',
    });
    const byResult =
      kubelet?.result === 'oom-kill' &&
      fact({
        fact: resultFact,
        value: 'oom-kill',
        speaks: 'for',
        weight: 0.7,
        source: 'Result of the unit, systemd',
      });
    const limitKb = kubelet?.memoryMaxKb ?? undefined;
    const rssKb = kubeletRssKb(evidence);
    const near = atLeast({
      fact: nearFact,
      value: limitKb === undefined || rssKb === undefined ? undefined : (rssKb * 100) / Math.max(1, limitKb),
      threshold: 'workloadPercentOfLimit',
      weight: 0.5,
      source: 'MemoryMax of the unit and VmRSS',
    });
    const wasKilled = Boolean(inLog || onConsole || byResult);
    if (!wasKilled && !near) {
      const needs = [
        ...(kills === undefined ? ['oomKills'] : []),
        ...(kubelet === undefined ? ['kubelet'] : []),
      ];
      return needs.length > 0
        ? { result: 'insufficient-evidence', needs, findings }
        : { result: 'excluded', findings };
    }

    if ((kills ?? 0) > 1) {
      const source = 'log of the kernel: once may be bad luck, twice is a cycle';
      fact({ fact: 'it was killed again', value: kills ?? 0, speaks: 'for', weight: 0.5, source });
    }
    if (kubelet?.execMainStatus === killed && (kubelet.restarts ?? 0) > 0) {
      fact({
        fact: 'restarts by systemd after a kill',
        value: kubelet.restarts ?? 0,
        speaks: 'for',
        weight: 0.2,
        source: 'NRestarts; ExecMainStatus is 9',
      });
    }
    fact({
      fact: limitFact,
      value: limitKb === undefined ? undefined : Math.round(limitKb / 1024),
      speaks: 'for',
      weight: 0.3,
      source: 'MemoryMax; the unit of EKS has none',
    });
    const startedAgo = kubeletStartedSecondsAgo(evidence);
    const recent = wasKilled
      ? atMost({
          fact: startedFact,
          value: startedAgo,
          threshold: longestStorm,
          weight: 0.3,
          source: `systemd or process_start_time_seconds; a storm lasts ${stormSeconds} s, on large nodes longer`,
        })
      : undefined;
    const slow = wasKilled
      ? [
          atLeast({
            fact: relistFact,
            value: metrics?.plegRelistP99Seconds,
            threshold: 'plegRelistSeconds',
            weight: 0.3,
            source: 'kubelet_pleg_relist_duration_seconds; NotReady at 180 s',
          }),
          atLeast({
            fact: 'work on one pod, 99th percentile in seconds',
            value: metrics?.podWorkerP99Seconds,
            threshold: 'plegRelistSeconds',
            weight: 0.2,
            source: 'kubelet_pod_worker_duration_seconds',
          }),
          atLeast({
            fact: 'complaints about the pod lifecycle generator or the runtime',
            value: kubelet?.journal && (kubelet.journal.pleg ?? 0) + (kubelet.journal.criDeadline ?? 0),
            threshold: 1,
            weight: 0.1,
            source: 'its journal',
          }),
        ].includes(true)
      : false;
    const growth = growthPerDay(evidence, 'kubeletRssKb');
    const climbs = atLeast({
      fact: 'growth of its memory, MB per day',
      value: growth && growth.perDay / 1024,
      threshold: 'kubeletMbPerDay',
      weight: 0.2,
      source: growth?.source ?? '',
    });
    const running = kubelet?.active == null ? undefined : kubelet.active === 'active';
    const stage = stageOf({ running, startedAgo, recent, slow, rising: Boolean(near || climbs) });
    return { result: 'matches', variant: stage, findings };
  },

  explain(findings, variant = 'killed') {
    const value = (fact: string) => findings.find((finding) => finding.fact === fact)?.value;
    const kills = value(killsFact) || value(consoleFact);
    const limit = value(limitFact);
    const started = value(startedFact);
    const relist = value(relistFact);
    return [
      kills === undefined || kills === 0
        ? value(resultFact) === undefined
          ? 'The kubelet is about to be killed by the kernel for want of memory'
          : 'The kernel has killed the kubelet for want of memory'
        : `The kernel has killed the kubelet for want of memory ${kills === 1 ? 'once' : `${kills} times`}`,
      ' (on EKS that is unusual: it has an oomScoreAdj of -999).',
      limit === undefined
        ? ''
        : ` Its unit has a memory limit of ${limit} MB, which the one of EKS does not have`,
      limit === undefined
        ? ''
        : value(nearFact) === undefined
          ? '.'
          : `; it has used ${value(nearFact)} % of it.`,
      started === undefined ? '' : ` It was started ${started} s ago.`,
      relist === undefined ? '' : ` Its relists take ${relist} s (99th percentile).`,
      ` Stage: ${variant}. ${stages[variant as Stage] ?? ''}`,
      ' The pods go on running meanwhile, but nobody starts, stops or checks them. A restart now helps only before the next kill; one that has just started is to be left alone.',
    ].join('');
  },

  untreated:
    'Each kill makes the node NotReady until the kubelet has looked at every container again; after five minutes its pods are evicted, and the next node may take over the load and the fault.',

  prevent: preventions,
};

type Seen = {
  running: boolean | undefined;
  startedAgo: number | undefined;
  recent: boolean | undefined;
  slow: boolean;
  rising: boolean;
};

function stageOf({ running, startedAgo, recent, slow, rising }: Seen): Stage {
  if (running === false) return 'killed';
  if (startedAgo !== undefined && startedAgo <= stormSeconds) return 'storm';
  if (recent && slow) return 'storm';
  if (rising) return 'climbing';
  return startedAgo === undefined ? 'killed' : 'settling';
}

function preventions(_: Evidence, findings: Finding[]): Prevention[] {
  const found = (fact: string) =>
    findings.find((finding) => finding.fact === fact && finding.speaks === 'for');
  const limit = found(limitFact);
  const climbs = found('growth of its memory, MB per day');
  const kills = found(killsFact) ?? found(consoleFact) ?? found(resultFact);
  return [
    ...(limit === undefined
      ? []
      : [
          {
            what: 'no memory limit on the unit of the kubelet: remove the drop-in with MemoryMax (systemctl cat kubelet names it), or the limit of the container it runs in',
            where: '/etc/systemd/system/kubelet.service.d/ on the node, and what writes it in the user data',
            because: `${limit.fact}: ${limit.value}`,
          },
        ]),
    ...(kills === undefined
      ? []
      : [
          {
            what: 'kubeReserved.memory and systemReserved.memory 0.5 to 1 GB larger on dense nodes, so that pods are evicted before the kernel has to kill',
            where: where.kubeletConfig,
            because: `${kills.fact}: ${kills.value}`,
          },
        ]),
    ...(climbs === undefined
      ? []
      : [
          {
            what: 'do not scale out now with the same AMI: every new node starts with the same kubelet, and its leak',
            where: where.scaling,
            because: `${climbs.fact}: ${climbs.value}`,
          },
        ]),
  ];
}
