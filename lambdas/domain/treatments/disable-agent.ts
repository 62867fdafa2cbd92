import { needOf } from '../evidence/agents.ts';
import { loopingAgents, orphanedAgentOf } from '../evidence/producers.ts';
import { noLoop } from './contain-unit.ts';
import { noEvidence, type Treatment } from './treatment.ts';

/** Disables a host service that nothing on the node needs: a visible condition in a drop-in, and a graceful stop. */
export const disableAgent: Treatment = {
  id: 'disable-agent',
  kind: 'document',
  document: 'disable-agent',
  undoDocument: 'enable-agent',
  standing: true,
  risk: 'medium',
  disrupts: true,
  treats: ['orphaned-agent'],

  propose(evidence) {
    if (evidence === undefined) return noEvidence;
    const agent = orphanedAgentOf(evidence);
    if (agent === undefined) {
      const [looping] = loopingAgents(evidence);
      return looping === undefined ? noLoop : { nothing: needOf(looping).why };
    }
    return {
      arguments: { unit: agent.unit, stopSeconds: '60' },
      reason: needOf(agent).why,
      expects: { text: 'no new dying memory cgroups; the service stays stopped', level: 'holds' },
    };
  },
};
