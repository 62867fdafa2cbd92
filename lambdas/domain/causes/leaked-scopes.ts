import { probeValue } from '../evidence/probe.ts';
import { leakedScopes as counted, stuckSessions } from '../evidence/producers.ts';
import type { Cause, Finding } from './cause.ts';
import { newerSystemd, sameDriver, stayWithScaleOut } from './prevent.ts';

const emptyFact = 'scope and session directories without a process';
const stuckFact = 'sessions stuck on their way out, and abandoned scopes';

/** Cgroup directories that still exist and that nobody is in: somebody failed to remove them. Not dying cgroups. */
export const leakedScopes: Cause = {
  id: 'leaked-scopes',
  title: 'Cgroup directories of scopes and sessions that still exist and that nobody is in.',

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
    const findings = [
      ...(empty === undefined ? [] : [finding(emptyFact, empty, 0.8, 'counted in the cgroup tree')]),
      ...(stuck === undefined ? [] : [finding(stuckFact, stuck, 0.7, 'loginctl and systemctl')]),
    ];
    const many = (value: number | undefined): boolean => value !== undefined && value >= limit;
    if (many(empty) || many(stuck)) {
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
    const value = (fact: string) => findings.find((finding) => finding.fact === fact)?.value ?? 'unknown';
    return [
      `${value(emptyFact)} cgroup directories of scopes and sessions have no process in them, and ${value(stuckFact)} sessions or scopes are stuck.`,
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
