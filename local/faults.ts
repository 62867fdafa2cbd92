import { CauseId } from '../lambdas/domain/causes/cause-id.ts';
import { virtualFaults } from './vm/faults/index.ts';

/** Recorded nodes that show a fault, and `host` where it can be made on this host. */
const elsewhere: Readonly<Partial<Record<CauseId, readonly string[]>>> = {
  'dying-memcgs': [
    'host',
    'v2-zombies',
    'v1-zombies',
    'v2-partly',
    'v2-nothing',
    'v2-worse',
    'v2-growing',
    'v2-trend',
  ],
  'session-churn': ['v1-logins'],
  'leaked-scopes': ['leaked-scopes'],
  'memcg-id-exhaustion': ['memcg-ids'],
  'agent-leak': ['agent-memory'],
  'kubelet-leak': ['kubelet-leak'],
  'kubelet-oom-cycle': ['kubelet-oom-cycle', 'silent-notready'],
  'workload-leak': ['workload-leak'],
  'cpu-quota-throttling': ['cpu-quota'],
  'reclaim-pressure': ['reclaim-pressure'],
  'oversubscribed-node': ['oversubscribed'],
  'dead-containers': ['dead-containers'],
  healthy: ['healthy'],
  inconclusive: ['garbage', 'silent'],
};

/**
 * The faults that a run can have, and the nodes that show them, in the order in which `auto` tries them. `host` and `vm`
 * make the fault for real; every other name is a recorded node. A virtual node takes minutes the first time, so `auto`
 * prefers a recorded one.
 */
export const faults: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  CauseId.options.flatMap((cause) => {
    const nodes = [...(elsewhere[cause] ?? []), ...(virtualFaults[cause] === undefined ? [] : ['vm'])];
    return nodes.length === 0 ? [] : [[cause, nodes]];
  }),
);

export const defaultFault: CauseId = 'dying-memcgs';
