import * as z from 'zod';
import { given } from '../around/read.ts';
import type { Rung } from '../treatments/treatment.ts';
import type { GateResult } from './gate.ts';

/** What the API server says of a node that shows whether somebody else is at work on it. */
export const NodeMarks = z.object({
  taints: z.array(z.object({ key: z.string(), value: z.string(), effect: z.string() })),
  unschedulable: z.boolean(),
  /** The incident that says, by its annotation, that the cordon is its own; `null`: none does. */
  cordonedBy: z.string().nullable(),
  /** It is being deleted: an object that only waits for its finalizers. */
  deleting: z.boolean(),
});
export type NodeMarks = z.infer<typeof NodeMarks>;

/** What is known of the marks; `notAsked`: the settings open no way to the API server. */
export type Marks = NodeMarks | { gap: string } | { notAsked: string };

/**
 * Taints by which somebody says that they take a node away, and who that is. Sources: karpenter pkg/apis/v1/taints.go (and
 * v1beta1, whose key was `disruption`), cluster-autoscaler utils/taints/taints.go, aws-node-termination-handler pkg/node/node.go,
 * kubernetes.io/docs/reference/labels-annotations-taints.
 */
export const leavingTaints: readonly { key: string; who: string }[] = [
  { key: 'karpenter.sh/disrupted', who: 'Karpenter' },
  { key: 'karpenter.sh/disruption', who: 'Karpenter' },
  { key: 'ToBeDeletedByClusterAutoscaler', who: 'the Cluster Autoscaler' },
  { key: 'aws-node-termination-handler/spot-itn', who: 'EC2, which takes the Spot instance back' },
  { key: 'aws-node-termination-handler/asg-lifecycle-termination', who: 'its Auto Scaling group' },
  { key: 'aws-node-termination-handler/scheduled-maintenance', who: 'a scheduled maintenance of EC2' },
  { key: 'node.cloudprovider.kubernetes.io/shutdown', who: 'EC2, where the instance is shut down' },
  { key: 'node.kubernetes.io/out-of-service', who: 'whoever has marked it as out of service' },
];

/**
 * Whether somebody else is at work on the node. One that is being taken away is left alone; on one that somebody has
 * cordoned, a drain, an update of its group, a repair or a person may be at work, so a person decides.
 */
export function othersGate(
  marks: Marks,
  {
    rung,
    approved,
    incident,
  }: { rung: Pick<Rung, 'kind' | 'risk'>; approved: boolean /** Whose rung it is. */; incident: string },
): GateResult {
  const answer = (decision: GateResult['decision'], reason: string): GateResult => ({
    gate: 'others',
    decision,
    reason,
  });
  const ask = (reason: string): GateResult =>
    approved ? answer('pass', `a person approved it, although ${reason}`) : answer('ask', reason);
  if (rung.kind === 'notify') return answer('pass', 'telling people is never too much');
  if ('notAsked' in marks) return answer('pass', `who else is at work is not known: ${marks.notAsked}`);
  if ('gap' in marks) {
    const unknown = `whether somebody else is at work on the node could not be learnt: ${marks.gap}`;
    // What frees the memory of dead cgroups stands in nobody's way.
    return rung.risk === 'none' || rung.risk === 'low' ? answer('pass', unknown) : ask(unknown);
  }
  const taint = marks.taints.find(({ key }) => leavingTaints.some((known) => known.key === key));
  if (taint !== undefined) {
    const who = leavingTaints.find(({ key }) => key === taint.key)?.who ?? 'somebody';
    return answer('refuse', `the node is being taken away by ${who} (taint ${taint.key})`);
  }
  if (marks.deleting) return answer('refuse', 'the node is being deleted from its cluster');
  if (marks.unschedulable && marks.cordonedBy === incident) {
    return answer('pass', 'this incident itself has cordoned the node');
  }
  if (marks.unschedulable && marks.cordonedBy !== null) {
    return ask(`another incident has cordoned this node: ${given(marks.cordonedBy)}`);
  }
  if (marks.unschedulable) {
    return ask(
      'somebody has cordoned this node: a drain, an update, a repair or a person may be at work on it',
    );
  }
  return answer('pass', 'nobody has marked this node');
}
