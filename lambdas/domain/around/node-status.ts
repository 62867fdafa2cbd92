import type * as z from 'zod';
import type { NodeStatus } from '../evidence/node-status.ts';
import { isOver, type KubernetesNode, type Pod, secondsSince } from './kubernetes.ts';
import { effective, isUnlimited } from './pod-resources.ts';
import { kibOf, quantity, whole } from './quantity.ts';
import { given, notReadOf, type Read } from './read.ts';

/** Labels by which the makers of nodes say to which group one belongs, in the order in which they are believed. */
const groupLabels = [
  'eks.amazonaws.com/nodegroup',
  'karpenter.sh/nodepool',
  'alpha.eksctl.io/nodegroup-name',
];

/** The node as the API server knows it; without its pods, what they ask for stays open. */
export function nodeStatusOf(
  { metadata, spec, status }: KubernetesNode,
  pods: Read<Pod[]>,
  now: Date,
): z.infer<typeof NodeStatus> {
  const { nodeInfo, capacity, allocatable } = status;
  const group = groupLabels.map((label) => metadata.labels[label]).find((value) => value !== undefined);
  const type = metadata.labels['node.kubernetes.io/instance-type'];
  const known = (text: string | undefined) => (text === undefined ? null : given(text));
  const base = {
    conditions: status.conditions.slice(0, 30).map((condition) => ({
      type: given(condition.type),
      status: condition.status,
      reason: known(condition.reason ?? undefined),
      sinceSeconds: secondsSince(condition.lastTransitionTime, now),
    })),
    unschedulable: spec.unschedulable,
    taints: spec.taints.slice(0, 20).map(({ key, value, effect }) => given(`${key}=${value}:${effect}`)),
    kubeletVersion: known(nodeInfo.kubeletVersion),
    osImage: known(nodeInfo.osImage),
    kernelVersion: known(nodeInfo.kernelVersion),
    containerRuntime: known(nodeInfo.containerRuntimeVersion),
    instanceType: known(type),
    nodeGroup: known(group),
  };
  // Part of the pods would make a full node look empty.
  const all: Read<Pod[]> = 'gap' in pods || pods.partial === undefined ? pods : { gap: pods.partial };
  if ('gap' in all) {
    return {
      ...base,
      memory: null,
      cpu: null,
      pods: null,
      notRead: notReadOf({ memory: all, cpu: all, pods: all }),
    };
  }
  const live = all.value.filter((pod) => !isOver(pod));
  const sum = (kind: 'requests' | 'limits', resource: string): number =>
    live.reduce((total, pod) => total + effective(pod, kind, resource), 0);
  const memory = { capacity: quantity(capacity.memory), allocatable: quantity(allocatable.memory) };
  const cpu = quantity(allocatable.cpu);
  const most = quantity(allocatable.pods);
  const unsaid: Read<never> = { gap: 'the API server does not say what this node can give' };
  return {
    ...base,
    memory:
      memory.capacity === undefined || memory.allocatable === undefined
        ? null
        : {
            capacityKb: kibOf(memory.capacity),
            allocatableKb: kibOf(memory.allocatable),
            requestsKb: kibOf(sum('requests', 'memory')),
            limitsKb: kibOf(sum('limits', 'memory')),
            podsWithoutLimit: live.filter((pod) => isUnlimited(pod, 'memory')).length,
            requestsPercent: null,
            limitsPercent: null,
          },
    cpu:
      cpu === undefined
        ? null
        : {
            allocatableMillicores: whole(cpu * 1000),
            requestsMillicores: whole(sum('requests', 'cpu') * 1000),
            limitsMillicores: whole(sum('limits', 'cpu') * 1000),
          },
    pods:
      most === undefined
        ? null
        : {
            allocatable: whole(most),
            running: live.filter(({ status: { phase } }) => phase === 'Running').length,
            pending: live.filter(({ status: { phase } }) => phase === 'Pending').length,
          },
    notRead: notReadOf({
      ...(memory.capacity === undefined || memory.allocatable === undefined ? { memory: unsaid } : {}),
      ...(cpu === undefined ? { cpu: unsaid } : {}),
      ...(most === undefined ? { pods: unsaid } : {}),
    }),
  };
}
