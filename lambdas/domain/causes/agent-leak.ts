import { needOf } from '../evidence/agents.ts';
import { loopingAgents } from '../evidence/producers.ts';
import type { Cause } from './cause.ts';
import { judgeLoop, loopExplanation } from './crash-loop.ts';

/** A host service that systemd starts again and again, and that somebody may need. */
export const agentLeak: Cause = {
  id: 'agent-leak',
  title: 'A host agent that somebody may need leaks: cgroups by starting again and again, or memory.',
  seen: 'A host agent that starts again and again and may be needed; or an agent, of the host or in a pod without a limit of its own, that holds more than agentMb and grows, or four times as much.',
  excludedBy: 'No agent starts again and again, and none holds that much.',
  explains: ['dying-memcgs'],

  judge: (evidence, thresholds) =>
    judgeLoop(evidence, thresholds, loopingAgents(evidence)[0], (agent) => ({
      fact: 'need for it on this node',
      value: needOf(agent).why,
      speaks: 'for',
      source: 'reverse dependencies, containers, restarts',
    })),

  untreated: 'It goes on until the node is short of memory, or so slow that its pods suffer.',

  prevent: () => [],

  explain: (findings) =>
    `${loopExplanation(findings)} It may be needed, so it is not stopped: containing it lets it go on without a memory cgroup per start. Why it does not keep running is in its journal.`,
};
