import { probeValue } from '../evidence/probe.ts';
import type { Treatment } from './treatment.ts';

/** Restarts systemd-logind once, which lets go of sessions that are stuck on their way out. Open sessions stay. */
export const restartLogind: Treatment = {
  id: 'restart-logind',
  kind: 'document',
  document: 'restart-logind',
  risk: 'low',
  treats: ['session-churn', 'leaked-scopes'],

  propose(evidence, cluster) {
    const closing = evidence && probeValue(evidence.probes.sessions)?.closing;
    if (closing == null || closing < cluster.thresholds.leakedScopes) return undefined;
    return {
      arguments: { minUptimeSeconds: '3600' },
      reason: `${closing} sessions are stuck on their way out; logind lets go of them when it starts anew`,
      expects: {
        text: `fewer than ${cluster.thresholds.leakedScopes} directories of scopes and sessions without a process`,
        signal: 'leakedScopes',
        atMost: cluster.thresholds.leakedScopes - 1,
      },
    };
  },
};
