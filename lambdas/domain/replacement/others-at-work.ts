import * as z from 'zod';
import { given } from '../around/read.ts';
import type { NodeToReplace } from './objects.ts';
import type { Owner } from './owner.ts';

/** A managed node group as EKS describes it now. */
export const NodeGroupNow = z.object({
  status: z.string(),
  /** Codes of its health issues. */
  issues: z.array(z.string()),
  /** Whether EKS repairs its nodes by itself. */
  repairs: z.boolean(),
});
export type NodeGroupNow = z.infer<typeof NodeGroupNow>;

/** The size of an Auto Scaling group, and what it has of it; and why it is not to be asked for this node, which it is only once its pods have gone. */
export type GroupSize = { name: string; desired: number; inService: number; whyNot?: string };

/**
 * Conditions on which EKS node auto repair replaces or reboots a node, after 10 or 30 minutes; on pressure of memory or disk it does
 * nothing: https://docs.aws.amazon.com/eks/latest/userguide/node-repair.html. All but Ready are those of the node monitoring agent.
 */
const repaired = [
  'AcceleratedHardwareReady',
  'ContainerRuntimeReady',
  'KernelReady',
  'NetworkingReady',
  'StorageReady',
  'Ready',
];

/** Of the conditions of a node, those on which it may be repaired by EKS. */
export function ailing({ status: { conditions } }: Pick<NodeToReplace, 'status'>): string[] {
  return conditions
    .filter(({ type, status }) => repaired.includes(type) && status !== 'True')
    .map(({ type, status }) => `${type} is ${given(status)}`);
}

/** What is known of whoever owns a node, beside the node itself; a part that the owner does not have is `undefined`. */
export type OwnerNow = { nodeGroup?: NodeGroupNow | undefined; group?: GroupSize | undefined };

/** Why an owner is not to be asked for another node now; `undefined` where nothing speaks against it. */
export function whyNotOwner(
  owner: Owner,
  { nodeGroup, group }: OwnerNow,
  conditions: readonly string[],
): string | undefined {
  if (owner.kind === 'managed-node-group') {
    const called = `the node group ${given(owner.nodeGroup)}`;
    if (nodeGroup === undefined) return `EKS knows no node group ${given(owner.nodeGroup)}`;
    const { status, issues, repairs } = nodeGroup;
    if (status !== 'ACTIVE') {
      const why = issues.length === 0 ? '' : ` (${issues.map(given).join(', ')})`;
      return status === 'UPDATING'
        ? `${called} is being updated: its nodes are replaced by that, or must not change meanwhile`
        : `${called} is ${given(status)}${why}: a new node may not come`;
    }
    if (repairs && conditions.length > 0) return `${repairing(conditions)}, for ${called} has that on`;
  }
  if (owner.kind === 'auto-mode' && conditions.length > 0) {
    return `${repairing(conditions)}, as always in Auto Mode`;
  }
  // Whether Karpenter has its repair on is a feature gate of the controller, which nobody here can read.
  if (owner.kind === 'karpenter' && conditions.length > 0) {
    return `Karpenter may be repairing the node: ${conditions.join(', ')}`;
  }
  if (owner.kind !== 'managed-node-group' && owner.kind !== 'auto-scaling-group') return undefined;
  if (group === undefined) return `there is no Auto Scaling group ${given(owner.group)}`;
  if (group.whyNot !== undefined) return group.whyNot;
  if (group.inService < group.desired) {
    return `the group ${given(group.name)} has ${group.inService} of ${group.desired} instances in service: it lacks nodes already`;
  }
  return undefined;
}

function repairing(conditions: readonly string[]): string {
  return `EKS node auto repair may be at work on the node (${conditions.join(', ')})`;
}

/** A pod that waits, as far as it matters for what. */
export const WaitingPod = z.object({
  metadata: z.object({
    name: z.string().min(1),
    namespace: z.string().min(1),
    deletionTimestamp: z.string().nullish(),
  }),
  status: z.object({
    conditions: z
      .array(z.object({ type: z.string(), status: z.string(), reason: z.string().default('') }))
      .default([]),
  }),
});
export type WaitingPod = z.infer<typeof WaitingPod>;

/** Pods that the scheduler finds no room for: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/ */
function waitsForRoom({ metadata, status }: WaitingPod): boolean {
  return (
    metadata.deletionTimestamp == null &&
    status.conditions.some(
      ({ type, status: held, reason }) =>
        type === 'PodScheduled' && held === 'False' && reason === 'Unschedulable',
    )
  );
}

/** Why a node is not emptied while pods of the cluster have no room already. */
export function whyNoRoom(pods: readonly WaitingPod[], atMost: number): string | undefined {
  const waiting = pods.filter(waitsForRoom);
  if (waiting.length <= atMost) return undefined;
  const some = waiting.slice(0, 3).map(({ metadata: { namespace, name } }) => given(`${namespace}/${name}`));
  const more = waiting.length > some.length ? ' and others' : '';
  return `${waiting.length} pods of the cluster wait for room already (${some.join(', ')}${more}), and those of this node would too (replacement.pendingPods: ${atMost})`;
}
