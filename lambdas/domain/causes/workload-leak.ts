import type { Evidence } from '../evidence/evidence.ts';
import {
  type OomKilledContainer,
  oomKilledContainers,
  oomKillsByPod,
  recentOomKills,
} from '../evidence/oom-kills.ts';
import { probeValue } from '../evidence/probe.ts';
import { courseAsReported, growthPerDay } from '../trend.ts';
import type { Cause, Finding } from './cause.ts';
import { gather } from './gather.ts';
import { stayWithScaleOut } from './prevent.ts';

/** Killed this often, it comes back to its limit each time. */
const again = 2;

const killedFact = 'container killed for its memory';
const ownerFact = 'owner of that pod';
const restartsFact = 'its restarts';
const limitFact = 'its memory limit, MiB';
const podFact = 'pod killed again and again';
const killsFact = 'OOM kills in one pod';
const growthFact = 'growth of its working set, MB a day';
const courseFact = 'course of its working set';
const whoFact = 'workload that grows';
const nearFact = 'working set, percent of the limit';
const nearestFact = 'pod nearest its own limit';
const triedFact = 'tried by hand';

/** One workload takes more and more memory until its own limit, or the node, stops it. */
export const workloadLeak: Cause<'workload-leak'> = {
  id: 'workload-leak',
  title: 'One workload takes more and more memory, and is killed at its own limit again and again.',
  seen: 'A container that was killed for its memory, or a working set that grows by workloadMbPerDay or is reported to rise.',
  excludedBy:
    'No kill and no growth; or a higher memory limit that cured it, which says that the limit was too low.',
  explains: ['reclaim-pressure', 'oversubscribed-node'],

  judge(evidence, thresholds) {
    const { findings, atLeast, fact } = gather(thresholds);
    const killed = killFindings(evidence, fact);
    const growth = growthPerDay(evidence, 'workingSetKb');
    const grows = atLeast({
      fact: growthFact,
      value: growth && growth.perDay / 1024,
      threshold: 'workloadMbPerDay',
      weight: 0.6,
      source: growth?.source ?? '',
    });
    const course = courseAsReported(evidence, 'workingSetKb');
    const reported = growth === undefined && course !== null;
    if (reported) {
      const speaks = course === 'rises' ? 'for' : 'against';
      const weight = course === 'rises' ? { weight: 0.4 } : {};
      fact({ fact: courseFact, value: course, speaks, source: 'as reported', ...weight });
    }
    const rises = grows ?? (reported ? course === 'rises' : undefined);
    const nearest = nearestTheLimit(evidence);
    const near = atLeast({
      fact: nearFact,
      value: nearest?.percent,
      threshold: 'workloadPercentOfLimit',
      weight: 0.35,
      source: nearest === undefined ? '' : `limit of ${mib(nearest.limitKb)} MiB`,
    });
    if (near && nearest !== undefined) {
      fact({ fact: nearestFact, value: nearest.name, speaks: 'for', source: 'working set against limit' });
    }

    if (killed || rises) {
      if (rises) {
        const workload = probeValue(evidence.probes.trend)?.workload;
        if (workload != null) fact({ fact: whoFact, value: workload, speaks: 'for', source: 'metric' });
      }
      const verdict = triedByHand(evidence);
      if (verdict !== undefined) fact(verdict);
      return verdict?.speaks === 'against'
        ? { result: 'excluded', findings }
        : { result: 'matches', findings };
    }
    // Many a pod sits near its limit for good. Whether this one is on its way there, only its course says.
    if (near && rises === undefined) {
      return { result: 'insufficient-evidence', needs: ['trend.workingSetKb'], findings };
    }
    if (killed === undefined && rises === undefined) {
      return { result: 'insufficient-evidence', needs: ['oomKills', 'podStatus'], findings };
    }
    return { result: 'excluded', findings };
  },

  explain(findings) {
    const seen = (name: string) =>
      findings.find(({ fact, speaks }) => fact === name && speaks === 'for')?.value;
    const who = seen(killedFact) ?? seen(podFact) ?? seen(whoFact) ?? 'A workload';
    const owner = seen(ownerFact);
    const limit = seen(limitFact);
    const restarts = seen(restartsFact);
    const kills = seen(killsFact);
    const growth = seen(growthFact);
    const near = seen(nearFact);
    return [
      who,
      owner === undefined ? '' : ` (${owner})`,
      (seen(killedFact) ?? seen(podFact))
        ? ' was killed by the kernel for its memory'
        : ' takes more and more memory',
      limit === undefined ? '' : `, at its own limit of ${limit} MiB`,
      kills === undefined ? '' : `, ${kills} times in the last day`,
      restarts === undefined ? '.' : `; it was restarted ${restarts} times.`,
      growth === undefined ? '' : ` Its working set grows by ${growth} MB a day.`,
      seen(courseFact) === undefined ? '' : ' Its working set is reported to rise.',
      near === undefined ? '' : ` ${seen(nearestFact)} uses ${near} % of its limit now.`,
      ' The node is not what is broken, and no treatment of the node helps: the pod is restarted by Kubernetes, and fills up again.',
      ' Its owner should take a heap profile before the next kill; if its need is real and only peaks, the limit is too low.',
    ].join('');
  },

  untreated:
    'It is killed and restarted again and again, and drops what it was doing each time; without a limit of its own it takes the memory of its neighbours first.',

  prevent(_, findings) {
    const value = (name: string) => findings.find(({ fact }) => fact === name)?.value;
    const who = value(killedFact) ?? value(podFact) ?? value(whoFact) ?? 'the workload';
    const owner = value(ownerFact) ?? 'the object that owns the pod';
    return [
      {
        what: 'mend the leak, or until then restart it by plan before it is full',
        where: `${owner}`,
        because: `${who} is killed at its limit, or grows towards it`,
      },
      {
        what:
          value(limitFact) === undefined && value(killedFact) !== undefined
            ? 'a memory limit, so that it is the one that is stopped'
            : 'a memory limit with room for its real peaks, and a request that is as much',
        where: `resources.limits.memory and resources.requests.memory in ${owner}`,
        because: 'its own limit keeps a leak from becoming one of the node',
      },
      ...stayWithScaleOut('a new replica, or a new node, leaks in the same way'),
    ];
  },
};

type Fact = ReturnType<typeof gather>['fact'];

/** Whether a pod was killed for its memory: yes, no, or not known. */
function killFindings(evidence: Evidence, fact: Fact): boolean | undefined {
  const containers = oomKilledContainers(evidence);
  const container = containers?.[0];
  const [pod] = oomKillsByPod(evidence);
  if (container !== undefined) containerFindings(container, fact);
  if (pod !== undefined && (container === undefined || pod.kills >= again)) {
    const often = pod.kills >= again;
    fact({
      fact: podFact,
      value: podName(evidence, pod.uid) ?? `pod ${pod.uid}`,
      speaks: 'for',
      source: `process ${pod.comm} in a cgroup of this pod, log of the kernel`,
    });
    fact({
      fact: killsFact,
      value: pod.kills,
      threshold: again,
      speaks: 'for',
      // One kill is an accident as well as a leak.
      weight: often ? 0.6 : 0.4,
      source: 'log of the kernel, last day',
    });
  }
  if (container !== undefined || pod !== undefined) return true;
  // The API server remembers the last end of each container; the kernel counts all of them.
  return containers === undefined && recentOomKills(evidence) === undefined ? undefined : false;
}

function containerFindings(
  { pod, container, owner, restarts, limitKb }: OomKilledContainer,
  fact: Fact,
): void {
  const often = (restarts ?? 0) >= again;
  const name = [pod, container].filter((part) => part !== null).join(', container ');
  fact({
    fact: killedFact,
    value: name === '' ? 'A container' : name,
    speaks: 'for',
    // A single kill may be a peak: it has to come again, or something else has to say that it grows.
    weight: 0.45,
    source: 'last state OOMKilled, API server',
  });
  if (owner !== null) {
    fact({ fact: ownerFact, value: `${owner.kind}/${owner.name}`, speaks: 'for', source: 'API server' });
  }
  if (restarts !== null && often) {
    fact({
      fact: restartsFact,
      value: restarts,
      threshold: again,
      speaks: 'for',
      weight: 0.4,
      source: 'it comes back to its limit; API server',
    });
  }
  if (limitKb !== null) {
    fact({
      fact: limitFact,
      value: mib(limitKb),
      speaks: 'for',
      weight: 0.2,
      source: 'it has a limit of its own to be killed at',
    });
  }
}

function nearestTheLimit(evidence: Evidence): { name: string; percent: number; limitKb: number } | undefined {
  const limited = (probeValue(evidence.probes.workloads)?.top ?? []).flatMap(
    ({ pod, uid, workingSetKb, limitKb }) =>
      limitKb === null || limitKb === 0
        ? []
        : [
            {
              name: pod ?? `pod ${uid ?? 'without a name'}`,
              percent: (workingSetKb * 100) / limitKb,
              limitKb,
            },
          ],
  );
  return limited.sort((a, b) => b.percent - a.percent)[0];
}

/** A leak outgrows any limit, and starts from the beginning with the process. */
function triedByHand(evidence: Evidence): Finding | undefined {
  const tried = probeValue(evidence.probes.observations)?.tried ?? [];
  const outcome = (what: (typeof tried)[number]['what']) => tried.find((one) => one.what === what)?.helped;
  const source = 'what was tried';
  const limit = outcome('remove-memory-limit');
  if (limit === true) {
    return { fact: triedFact, value: 'a higher memory limit cured it', speaks: 'against', source };
  }
  if (limit === false) {
    const value = 'it grew on without its memory limit';
    return { fact: triedFact, value, speaks: 'for', weight: 0.4, source };
  }
  return outcome('restart-workload') === true
    ? { fact: triedFact, value: 'a restart of it freed the memory', speaks: 'for', weight: 0.3, source }
    : undefined;
}

function podName(evidence: Evidence, uid: string): string | undefined {
  const top = probeValue(evidence.probes.workloads)?.top ?? [];
  return top.find((workload) => workload.uid === uid)?.pod ?? undefined;
}

function mib(kb: number): number {
  return Math.round(kb / 1024);
}
