import type { Treatment } from './treatment.ts';

/** Tells people, with the evidence. The last rung of every ladder: a machine that is at its end says so. */
export const notify: Treatment = {
  id: 'notify',
  kind: 'notify',
  risk: 'none',
  treats: [
    'dying-memcgs',
    'session-churn',
    'leaked-scopes',
    'orphaned-agent',
    'agent-leak',
    'workload-leak',
    'oversubscribed-node',
    'reclaim-pressure',
    'cpu-quota-throttling',
    'inconclusive',
  ],

  propose() {
    return {
      arguments: {},
      reason: 'nothing gentler is left that a machine should do by itself',
      expects: { text: 'a person looks at the node' },
    };
  },
};
