import { isUntouchable, needOf } from '../evidence/agents.ts';
import { loopingAgents, orphanedAgentOf } from '../evidence/producers.ts';
import { concernsRestarts, noRestarts } from './concerns-restarts.ts';
import { type Nothing, noEvidence, type Treatment } from './treatment.ts';

export const noLoop: Nothing = { nothing: 'no service is known to be started again and again' };

/** Moves a service that is started again and again into a slice without the memory controller, where a start leaves nothing. */
export const containUnit: Treatment = {
  id: 'contain-unit',
  kind: 'document',
  document: 'contain-unit',
  undoDocument: 'release-unit',
  standing: true,
  risk: 'medium',
  disrupts: false,
  treats: ['orphaned-agent', 'agent-leak'],

  propose(evidence, _, diagnosis) {
    if (evidence === undefined) return noEvidence;
    if (!concernsRestarts(diagnosis)) return noRestarts;
    const agent =
      diagnosis.cause === 'orphaned-agent' ? orphanedAgentOf(evidence) : loopingAgents(evidence)[0];
    if (agent === undefined) return noLoop;
    if (agent.protected || isUntouchable(agent)) return { nothing: needOf(agent).why };
    return {
      arguments: { unit: agent.unit, allowLimitLoss: 'false' },
      reason: `${agent.unit} was started again ${agent.restarts === null ? 'and again' : `${agent.restarts} times`}; its next start goes into a slice without memory cgroups, and it is not stopped. It has no memory limit of its own while contained; where one is in force, it is refused`,
      expects: { text: 'no new dying memory cgroups, however often it starts', level: 'holds' },
    };
  },
};
