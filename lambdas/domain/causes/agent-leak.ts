import { needOf } from '../evidence/agents.ts';
import { loopingAgents } from '../evidence/producers.ts';
import type { Cause } from './cause.ts';
import { judgeLoop, loopExplanation } from './crash-loop.ts';

/** A host service that systemd starts again and again, and that somebody may need. */
export const agentLeak: Cause = {
  id: 'agent-leak',
  explains: ['dying-memcgs'],

  judge: (evidence, thresholds) =>
    judgeLoop(evidence, thresholds, loopingAgents(evidence)[0], (agent) => ({
      fact: 'need for it on this node',
      value: needOf(agent).why,
      speaks: 'for',
      source: 'reverse dependencies, containers, restarts',
    })),

  explain: (findings) => {
    const untouched = findings.some(({ value }) => String(value).endsWith('no treatment touches it'));
    const what = untouched
      ? 'It belongs to what a node cannot do without, so it is neither stopped nor contained: a person has to mend it.'
      : 'It may be needed, so it is not stopped: containing it lets it go on without a memory cgroup per start.';
    return `${loopExplanation(findings)} ${what} Why it does not keep running is in its journal.`;
  },
};
