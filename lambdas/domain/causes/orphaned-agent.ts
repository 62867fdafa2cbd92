import { manyRestarts, needOf } from '../evidence/agents.ts';
import { orphanedAgentOf } from '../evidence/producers.ts';
import type { Cause } from './cause.ts';
import { judgeLoop, loopExplanation } from './crash-loop.ts';

/** A host service that nothing on the node needs, and that systemd starts again and again. */
export const orphanedAgent: Cause = {
  id: 'orphaned-agent',
  title:
    'A host service that no unit and no container on the node needs, and that systemd starts again and again.',
  explains: ['dying-memcgs', 'agent-leak'],

  judge: (evidence, thresholds) =>
    judgeLoop(evidence, thresholds, orphanedAgentOf(evidence), (agent) => ({
      fact: 'need for it on this node',
      value: needOf(agent).why,
      speaks: 'for',
      source: `reverse dependencies, containers and at least ${manyRestarts} restarts`,
    })),

  untreated:
    'Each of its starts can leave a dying memory cgroup, several a minute, for as long as the node lives.',

  prevent: () => [],

  explain: (findings) =>
    `${loopExplanation(findings)} No unit of this node requires it, none but a target wants it, it runs no container, and it does not keep running; whether anybody off this node needs it was not checked. It can be disabled by an override, visibly and reversibly.`,
};
