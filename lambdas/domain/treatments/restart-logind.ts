import { probeValue } from '../evidence/probe.ts';
import { noEvidence, type Treatment } from './treatment.ts';

/** Restarts systemd-logind once, which lets go of sessions that are stuck on their way out. Open sessions stay. */
export const restartLogind: Treatment = {
  id: 'restart-logind',
  kind: 'document',
  document: 'restart-logind',
  risk: 'low',
  disrupts: true,
  treats: ['session-churn', 'leaked-scopes'],

  propose(evidence, cluster) {
    if (evidence === undefined) return noEvidence;
    const closing = probeValue(evidence.probes.sessions)?.closing;
    if (closing == null) return { nothing: 'how many sessions are stuck on their way out is not known' };
    const { leakedScopes } = cluster.thresholds;
    if (closing < leakedScopes) {
      return {
        nothing: `${closing} sessions are stuck on their way out, fewer than ${leakedScopes} (settings thresholds.leakedScopes)`,
      };
    }
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
