import type { Evidence } from '../evidence/evidence.ts';
import { probeValue } from '../evidence/probe.ts';
import { leakedScopes } from '../evidence/producers.ts';
import type { Cluster } from '../settings.ts';
import { type Nothing, noEvidence, type Proposal, type Treatment } from './treatment.ts';

/** Stops scopes without a process and removes cgroup directories that nobody owns; with an approval also scopes with one. */
export const stopScopes: Treatment = {
  id: 'stop-scopes',
  kind: 'document',
  document: 'stop-scopes',
  risk: 'low',
  disrupts: false,
  treats: ['leaked-scopes'],

  propose(evidence, cluster) {
    if (evidence === undefined) return noEvidence;
    return endingProcesses(evidence, cluster) ?? leavingProcesses(evidence, cluster);
  },
};

/** What is always safe: nothing that runs is touched. */
function leavingProcesses(evidence: Evidence, { scopes, thresholds }: Cluster): Proposal | Nothing {
  const leaked = leakedScopes(evidence);
  if (leaked === undefined) return { nothing: 'directories without a process were not counted' };
  return {
    arguments: { minAgeSeconds: String(scopes.minAgeSeconds), maxCount: '500', endProcesses: 'false' },
    reason: `${leaked} scope and session directories have no process in them; those older than ${scopes.minAgeSeconds} s that nobody owns are removed`,
    expects: {
      text: `fewer than ${thresholds.leakedScopes} such directories, and no new growth`,
      signal: 'leakedScopes',
      atMost: thresholds.leakedScopes - 1,
    },
  };
}

/**
 * Where what leaks are scopes with processes in them: only ending those helps. They may be somebody's work (a program
 * that was meant to outlive its login), so a person decides, and is told whose they are. Not before the directories that
 * cost nobody anything are gone.
 */
function endingProcesses(evidence: Evidence, { scopes, thresholds }: Cluster): Proposal | undefined {
  const sessions = probeValue(evidence.probes.sessions);
  const abandoned = sessions?.abandonedScopes ?? 0;
  const left = sessions?.abandonedLeft;
  if (abandoned < thresholds.leakedScopes || left == null || left.processes === 0) return undefined;
  if ((leakedScopes(evidence) ?? thresholds.leakedScopes) >= thresholds.leakedScopes) return undefined;
  const users = left.users.filter((user) => /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}$/.test(user));
  if (users.length === 0) return undefined;
  return {
    risk: 'medium',
    disrupts: true,
    arguments: {
      minAgeSeconds: String(scopes.minAgeSeconds),
      maxCount: '500',
      endProcesses: 'true',
      processesOf: users.join(' '),
    },
    reason: `${abandoned} scopes are abandoned: their logins are over, and processes go on in them. In the ${left.scopes} that were looked at: ${left.processes} processes, of ${users.join(', ')}. In scopes abandoned ${scopes.minAgeSeconds} s ago or longer all processes are ended (SIGTERM, later SIGKILL), also what was meant to outlive its login (nohup, tmux); a scope with a process of anybody else is left`,
    expects: {
      text: `fewer than ${thresholds.leakedScopes} abandoned scopes, and no new growth`,
      signal: 'abandonedScopes',
      atMost: thresholds.leakedScopes - 1,
    },
  };
}
