import * as z from 'zod';

/**
 * The ids of the causes, in the order of every table of them, each the name of a file here. They are apart from the rules, so that
 * a function that only has to know what a cause can be called does not carry all of these.
 */
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
