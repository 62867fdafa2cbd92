import type { Changed } from './changed.ts';
import type { Happened } from './course.ts';
import type { ReplacementState } from './course-state.ts';
import { nameOf } from './drain-report.ts';
import type { Owner } from './owner.ts';

/** What became of an act, for the audit. Nothing where it was a look that found nothing new. */
export function actSentence(
  before: ReplacementState,
  happened: Happened,
  after: ReplacementState,
): string | undefined {
  const { node } = after;
  switch (happened.of) {
    case 'failure':
      return `what became of it is not known (${before.at}): ${happened.says}`;
    case 'examine':
      return happened.node === null
        ? `no node of the cluster is ${before.instanceId}`
        : `${before.instanceId} is the node ${happened.node.name}, of ${ownerText(happened.node.owner)}${happened.node.whyNot === undefined ? '' : `; ${happened.node.whyNot}`}`;
    case 'cordon':
      return changedText(
        `the node ${node} is cordoned`,
        `the node ${node} was not cordoned`,
        happened.changed,
      );
    case 'uncordon':
      return changedText(
        `the cordon of the node ${node} was taken back`,
        `the node ${node} was left as it is`,
        happened.changed,
      );
    case 'hand-over': {
      const who = after.owner === null ? 'its owner' : ownerText(after.owner);
      return happened.changed.is === 'refused'
        ? `${who} was not asked for another node: ${happened.changed.says}`
        : `${who} was asked for another node: ${happened.changed.says}`;
    }
    case 'evict':
      return happened.answers
        .map(({ pod, answer }) => `${nameOf(pod)}: ${'says' in answer ? answer.says : answer.is}`)
        .join('; ');
    case 'drain':
      if (happened.next.do !== 'end') return undefined;
      return happened.next.end.is === 'gave-up'
        ? `the drain of the node ${node} was given up: ${happened.next.end.report.why}`
        : after.end?.is === 'relieved'
          ? after.end.says
          : `the node ${node} is empty but for what a drain leaves: ${happened.state.evicted} pods were evicted`;
    case 'arrive':
      return after.at === 'arrive' ? undefined : after.end?.says;
  }
}

function changedText(done: string, otherwise: string, { is, says }: Changed): string {
  return is === 'done' ? done : `${otherwise}: ${says}`;
}

export function ownerText(owner: Owner): string {
  switch (owner.kind) {
    case 'managed-node-group':
      return `the managed node group ${owner.nodeGroup}`;
    case 'auto-scaling-group':
      return `the Auto Scaling group ${owner.group}`;
    case 'karpenter':
      return `Karpenter (NodeClaim ${owner.nodeClaim})`;
    case 'auto-mode':
      return `EKS Auto Mode (NodeClaim ${owner.nodeClaim})`;
    case 'unknown':
      return `an owner that is not known (${owner.why})`;
  }
}
