import { agentLeak } from './agent-leak.ts';
import type { Cause } from './cause.ts';
import type { CauseId } from './cause-id.ts';
import { cpuQuotaThrottling } from './cpu-quota-throttling.ts';
import { deadContainers } from './dead-containers.ts';
import { dyingMemcgs } from './dying-memcgs.ts';
import { healthy } from './healthy.ts';
import { kubeletLeak } from './kubelet-leak.ts';
import { kubeletOomCycle } from './kubelet-oom-cycle.ts';
import { leakedScopes } from './leaked-scopes.ts';
import { memcgIdExhaustion } from './memcg-id-exhaustion.ts';
import { orphanedAgent } from './orphaned-agent.ts';
import { oversubscribedNode } from './oversubscribed-node.ts';
import { reclaimPressure } from './reclaim-pressure.ts';
import { sessionChurn } from './session-churn.ts';
import { workloadLeak } from './workload-leak.ts';

/** The list of causes: what is not on it is not looked for. Its order is the order of every table of them. */
const listed = [
  sessionChurn,
  leakedScopes,
  orphanedAgent,
  agentLeak,
  dyingMemcgs,
  workloadLeak,
  oversubscribedNode,
  reclaimPressure,
  cpuQuotaThrottling,
  memcgIdExhaustion,
  kubeletOomCycle,
  kubeletLeak,
  deadContainers,
  healthy,
] as const;

/** Every cause that can be found. `inconclusive` is what remains when none of them is. */
export const causes: readonly Cause[] = listed;

/** Does not compile where cause-id.ts is not what this list says: run `npm run docs`. */
type Missing = Exclude<CauseId, (typeof listed)[number]['id'] | 'inconclusive'>;
true satisfies [Missing] extends [never] ? true : Missing;
