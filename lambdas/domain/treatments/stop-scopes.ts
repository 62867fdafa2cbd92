import { leakedScopes } from '../evidence/producers.ts';
import type { Treatment } from './treatment.ts';

/** Stops abandoned scopes and removes cgroup directories without a process that nobody owns. */
export const stopScopes: Treatment = {
  id: 'stop-scopes',
  kind: 'document',
  document: 'stop-scopes',
  risk: 'low',
  treats: ['leaked-scopes'],

  propose(evidence, cluster) {
    const leaked = evidence && leakedScopes(evidence);
    if (leaked === undefined) return undefined;
    return {
      arguments: {
        minAgeSeconds: String(cluster.scopes.minAgeSeconds),
        maxCount: '500',
        endProcesses: 'false',
      },
      reason: `${leaked} scope and session directories have no process in them; those older than ${cluster.scopes.minAgeSeconds} s that nobody owns are removed`,
      expects: {
        text: `fewer than ${cluster.thresholds.leakedScopes} such directories, and no new growth`,
        signal: 'leakedScopes',
        atMost: cluster.thresholds.leakedScopes - 1,
      },
    };
  },
};
