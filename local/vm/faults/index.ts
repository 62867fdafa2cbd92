import type { CauseId } from '../../../lambdas/domain/causes/cause.ts';
import { agentLeak } from './agent-leak.ts';
import { dyingMemcgs } from './dying-memcgs.ts';
import type { Fault } from './fault.ts';
import { healthy } from './healthy.ts';
import { leakedScopes } from './leaked-scopes.ts';
import { orphanedAgent } from './orphaned-agent.ts';
import { sessionChurn } from './session-churn.ts';

/** Every fault that can be made for real in a virtual node, under the cause that has to be found. */
export const virtualFaults: Readonly<Partial<Record<CauseId, Fault>>> = {
  'dying-memcgs': dyingMemcgs,
  'session-churn': sessionChurn,
  'leaked-scopes': leakedScopes,
  'orphaned-agent': orphanedAgent,
  'agent-leak': agentLeak,
  healthy,
};
