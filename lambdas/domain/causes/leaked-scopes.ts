import { leakedScopes as counted, stuckSessions } from '../evidence/producers.ts';
import type { Cause, Finding } from './cause.ts';
import { confidenceFrom } from './confidence.ts';

const emptyFact = 'scope and session directories without a process';
const stuckFact = 'sessions stuck on their way out, and abandoned scopes';

/** Cgroup directories that still exist and that nobody is in: somebody failed to remove them. Not dying cgroups. */
export const leakedScopes: Cause = {
  id: 'leaked-scopes',

  judge(evidence, thresholds) {
    const empty = counted(evidence);
    const stuck = stuckSessions(evidence);
    const limit = thresholds.leakedScopes;
    const finding = (fact: string, value: number, source: string): Finding => ({
      fact,
      value,
      threshold: limit,
      speaks: value >= limit ? 'for' : 'against',
      source: `settings thresholds.leakedScopes; ${source}`,
    });
    const findings = [
      ...(empty === undefined ? [] : [finding(emptyFact, empty, 'counted in the cgroup tree')]),
      ...(stuck === undefined ? [] : [finding(stuckFact, stuck, 'loginctl and systemctl')]),
    ];
    const many = (value: number | undefined): boolean => value !== undefined && value >= limit;
    if (many(empty) || many(stuck)) {
      const weights = [many(empty) ? 0.8 : 0, many(stuck) ? 0.7 : 0];
      return { result: 'matches', confidence: confidenceFrom(weights), findings };
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
};
