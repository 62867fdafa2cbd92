import { manyRestarts, needOf } from '../evidence/agents.ts';
import { orphanedAgentOf } from '../evidence/producers.ts';
import type { Cause } from './cause.ts';
import { judgeLoop, loopExplanation, unitFact } from './crash-loop.ts';
import { stayWithScaleOut } from './prevent.ts';

/** A host service that nothing on the node needs, and that systemd starts again and again. */
export const orphanedAgent: Cause<'orphaned-agent'> = {
  id: 'orphaned-agent',
  title:
    'A host service that no unit and no container on the node needs, and that systemd starts again and again.',
  seen: 'A service in a crash loop that no unit and no container needs, with enough starts to have left at least half of the dying cgroups.',
  excludedBy:
    'No service starts again and again; what does is needed, or may be; its starts cannot have left most of what is there, or half of dyingFloor.',
  explains: ['dying-memcgs', 'agent-leak', 'reclaim-pressure'],

  judge: (evidence, thresholds) =>
    judgeLoop(evidence, thresholds, orphanedAgentOf(evidence), (agent) => ({
      fact: 'need for it on this node',
      value: needOf(agent).why,
      speaks: 'for',
      source: `reverse dependencies, containers and at least ${manyRestarts} restarts`,
    })),

  untreated:
    'Each of its starts can leave a dying memory cgroup, several a minute, for as long as the node lives.',

  prevent(_, findings) {
    const unit = findings.find(({ fact }) => fact === unitFact)?.value ?? 'the service';
    return [
      {
        what: `systemctl disable --now ${unit}, or an image without it`,
        where:
          'the user data of the launch template (a new version, and the node group on it), or the recipe of the image; spec.userData of the EC2NodeClass with Karpenter',
        because: `nothing on the node needs ${unit}; an override on this node is gone with the node`,
      },
      ...stayWithScaleOut(`new nodes of the same image start ${unit} as well`),
    ];
  },

  explain: (findings) =>
    `${loopExplanation(findings)} No unit of this node requires it, none but a target wants it, it runs no container, and it does not keep running; whether anybody off this node needs it was not checked. It can be disabled by an override, visibly and reversibly.`,
};
