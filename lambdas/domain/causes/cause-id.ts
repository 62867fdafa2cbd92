import * as z from 'zod';

/** The ids of the causes, apart from their rules. Made from the list in index.ts by `npm run docs`. */
export const CauseId = z.enum([
  'session-churn',
  'leaked-scopes',
  'orphaned-agent',
  'agent-leak',
  'dying-memcgs',
  'workload-leak',
  'oversubscribed-node',
  'reclaim-pressure',
  'cpu-quota-throttling',
  'memcg-id-exhaustion',
  'kubelet-oom-cycle',
  'kubelet-leak',
  'dead-containers',
  'healthy',
  'inconclusive',
]);
export type CauseId = z.infer<typeof CauseId>;
