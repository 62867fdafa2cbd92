import type { Evidence } from '../evidence/evidence.ts';
import { probeValue } from '../evidence/probe.ts';
import { leakedScopes as counted, stuckSessions } from '../evidence/producers.ts';
import type { Thresholds } from '../thresholds.ts';
import type { Cause, Finding } from './cause.ts';
import { newerSystemd, sameDriver, stayWithScaleOut } from './prevent.ts';

const emptyFact = 'scope and session directories without a process';
const podFact = 'directories of pods without a process';
const otherFact = 'other directories without a process';
const leftFact = 'what each of them leaves';
const rateFact = 'pods started, per day';
const stuckFact = 'sessions stuck on their way out, and abandoned scopes';

/** Cgroup directories that still exist and that nobody is in: somebody failed to remove them. Not dying cgroups. */
export const leakedScopes: Cause<'leaked-scopes'> = {
  id: 'leaked-scopes',
  title: 'Cgroup directories of scopes and sessions that still exist and that nobody is in.',
  seen: 'At least leakedScopes directories of scopes and sessions, or of pods, without a process; as many sessions and scopes stuck on their way out; other empty directories from liveCgroups on; or pods that each leave a directory and start often enough.',
  excludedBy: 'The tree was counted, and there are fewer.',

  judge(evidence, thresholds) {
    const empty = counted(evidence);
    const stuck = stuckSessions(evidence);
    const limit = thresholds.leakedScopes;
    const finding = (fact: string, value: number, weight: number, source: string): Finding => ({
      fact,
      value,
      threshold: limit,
      speaks: value >= limit ? 'for' : 'against',
      ...(value >= limit ? { weight } : {}),
      source: `settings thresholds.leakedScopes; ${source}`,
    });
    const unpopulated = probeValue(evidence.probes.unpopulated);
    const others = tooManyOthers(evidence, thresholds);
    const each = leftByPods(evidence, thresholds);
    const findings = [
      ...(empty === undefined ? [] : [finding(emptyFact, empty, 0.8, 'counted in the cgroup tree')]),
      ...(stuck === undefined ? [] : [finding(stuckFact, stuck, 0.7, 'loginctl and systemctl')]),
      ...(unpopulated === undefined
        ? []
        : [finding(podFact, unpopulated.pod, 0.7, 'counted in the cgroup tree')]),
      ...others,
      ...each,
    ];
    const many = (value: number | undefined): boolean => value !== undefined && value >= limit;
    if (many(empty) || many(stuck) || many(unpopulated?.pod) || others.length > 0 || each.length > 0) {
      const live = probeValue(evidence.probes.cgroups)?.live ?? 0;
      if (live >= thresholds.liveCgroups) {
        findings.push({
          fact: 'live memory cgroups of the node',
          value: live,
          threshold: thresholds.liveCgroups,
          speaks: 'for',
          weight: 0.3,
          source: 'settings thresholds.liveCgroups; every walk of kubelet and cadvisor visits them all',
        });
      }
      return { result: 'matches', findings };
    }
    return empty === undefined
      ? { result: 'insufficient-evidence', needs: ['unpopulated'], findings }
      : { result: 'excluded', findings };
  },

  explain(findings) {
    const counted = findings
      .filter(({ speaks, fact }) => speaks === 'for' && fact !== rateFact)
      .map(({ fact, value }) => `${fact}: ${value}`);
    return [
      `Nobody is in them, and they are still there (${counted.join('; ')}).`,
      ' They are visible directories that somebody failed to remove, not dying cgroups: each costs a walk by kubelet and cadvisor every few seconds.',
      ' Stopping the scopes and removing the directories that nobody owns is safe; the producer may make new ones.',
    ].join('');
  },

  untreated:
    'kubelet and cadvisor walk every one of them every few seconds, and systemd and logind get slower with each, until logins and mounts time out.',

  prevent: (evidence) => [
    ...newerSystemd(evidence),
    ...sameDriver(evidence),
    ...stayWithScaleOut('new nodes of the same image leave the same directories behind'),
  ],
};

/** Of others nobody can say whether they are leaked or kept for later; so many are too many either way. */
function tooManyOthers(evidence: Evidence, { liveCgroups }: Thresholds): Finding[] {
  const other = probeValue(evidence.probes.unpopulated)?.other ?? 0;
  if (other < liveCgroups) return [];
  const source = 'settings thresholds.liveCgroups; counted in the cgroup tree';
  return [{ fact: otherFact, value: other, threshold: liveCgroups, speaks: 'for', weight: 0.6, source }];
}

/**
 * Pods or containers that each leave a directory, as somebody has seen, and that start often enough for that to be a
 * fault within a day, however many there are by now.
 */
function leftByPods(evidence: Evidence, thresholds: Thresholds): Finding[] {
  const seen = probeValue(evidence.probes.observations);
  const left = seen?.leftovers.find(({ after, what }) => what === 'directory' && after !== 'login');
  const pods = probeValue(evidence.probes.podStatus);
  if (left === undefined || pods?.started == null || pods.coveredSeconds === null) return [];
  const perDay = Math.round((pods.started * 86_400) / pods.coveredSeconds);
  if (perDay < thresholds.leakedScopes) return [];
  return [
    {
      fact: leftFact,
      value: `a directory after each ${left.after}`,
      speaks: 'for',
      weight: 0.5,
      source: 'as observed by hand',
    },
    {
      fact: rateFact,
      value: perDay,
      threshold: thresholds.leakedScopes,
      speaks: 'for',
      weight: 0.3,
      source: 'settings thresholds.leakedScopes; API server',
    },
  ];
}
