import { describe, expect, it } from 'vitest';
import { instanceIdOf } from '../../../../lambdas/domain/around/instance-node.ts';
import { nodeStatusOf } from '../../../../lambdas/domain/around/node-status.ts';
import { NodeStatus } from '../../../../lambdas/domain/evidence/node-status.ts';
import { ago, aNode, aPod, now, type PodProps } from './objects.ts';

function statusWith(...pods: PodProps[]) {
  return nodeStatusOf(
    aNode(),
    { value: pods.map((pod, index) => aPod({ name: `pod-${index}`, ...pod })) },
    now,
  );
}

const wants = (memory: string, limit?: string) => ({
  requests: { memory, cpu: '100m' },
  ...(limit === undefined ? {} : { limits: { memory: limit } }),
});

describe('the status of a node', () => {
  it('is what the API server says, in the terms of the evidence', () => {
    const node = aNode({
      spec: { unschedulable: true, taints: [{ key: 'dedicated', value: 'gpu', effect: 'NoSchedule' }] },
      status: {
        conditions: [
          { type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown', lastTransitionTime: ago(420) },
          { type: 'Odd', status: 'False' },
        ],
      },
    });

    const status = nodeStatusOf(node, { value: [] }, now);

    expect(NodeStatus.parse(status)).toEqual(status);
    expect(status).toMatchObject({
      conditions: [
        { type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown', sinceSeconds: 420 },
        { type: 'Odd', status: 'False', reason: null, sinceSeconds: null },
      ],
      unschedulable: true,
      taints: ['dedicated=gpu:NoSchedule'],
      kubeletVersion: 'v1.32.3-eks-473151a',
      kernelVersion: '6.1.134-150.224.amzn2023.x86_64',
      containerRuntime: 'containerd://1.7.27',
      instanceType: 'm6i.large',
      nodeGroup: 'web',
      memory: {
        capacityKb: 8_167_944,
        allocatableKb: 7_460_360,
        requestsKb: 0,
        limitsKb: 0,
        podsWithoutLimit: 0,
      },
      cpu: { allocatableMillicores: 1930, requestsMillicores: 0 },
      pods: { allocatable: 29, running: 0, pending: 0 },
      notRead: {},
    });
  });

  it('believes the label of a managed node group before that of others, and names no group where there is none', () => {
    const labels = { 'karpenter.sh/nodepool': 'default', 'eks.amazonaws.com/nodegroup': 'web' };
    expect(nodeStatusOf(aNode({ metadata: { labels } }), { value: [] }, now).nodeGroup).toBe('web');
    expect(nodeStatusOf(aNode({ metadata: { labels: {} } }), { value: [] }, now).nodeGroup).toBeNull();
  });

  it('adds up requests and limits of the pods that are not over', () => {
    const status = statusWith(
      {
        containers: [
          { name: 'a', resources: wants('128Mi', '256Mi') },
          { name: 'b', resources: wants('64Mi') },
        ],
      },
      { phase: 'Pending', containers: [{ name: 'a', resources: wants('1Gi', '1Gi') }] },
      { phase: 'Succeeded', containers: [{ name: 'a', resources: wants('4Gi', '4Gi') }] },
      { phase: 'Failed', containers: [{ name: 'a', resources: wants('4Gi', '4Gi') }] },
    );

    expect(status.memory).toMatchObject({
      requestsKb: (128 + 64 + 1024) * 1024,
      limitsKb: (256 + 1024) * 1024,
      podsWithoutLimit: 1,
    });
    expect(status.cpu?.requestsMillicores).toBe(300);
    expect(status.pods).toEqual({ allocatable: 29, running: 1, pending: 1 });
  });

  it('counts init containers, sidecars and overhead as the scheduler does', () => {
    const status = statusWith({
      initContainers: [
        { name: 'first', resources: wants('100Mi', '100Mi') },
        { name: 'proxy', restartPolicy: 'Always', resources: wants('50Mi', '50Mi') },
        { name: 'migrate', resources: wants('400Mi', '400Mi') },
      ],
      containers: [{ name: 'main', resources: wants('200Mi', '300Mi') }],
      overhead: { memory: '10Mi' },
    });

    // The migration beside the proxy needs more than what runs afterwards.
    expect(status.memory).toMatchObject({
      requestsKb: (400 + 50 + 10) * 1024,
      limitsKb: (400 + 50 + 10) * 1024,
      podsWithoutLimit: 0,
    });
  });

  it('takes a pod at its word where it says for itself as a whole what it needs', () => {
    const status = statusWith({
      containers: [{ name: 'a', resources: wants('2Gi') }],
      resources: { requests: { memory: '1Gi' }, limits: { memory: '1Gi' } },
    });

    expect(status.memory).toMatchObject({ requestsKb: 1_048_576, limitsKb: 1_048_576, podsWithoutLimit: 0 });
  });

  it.each([
    ['none of the pods', { gap: 'refused' }, 'refused'],
    ['part of the pods', { value: [aPod()], partial: 'only the first 1000' }, 'only the first 1000'],
  ])('with %s leaves open what they ask for: that is no empty node', (_, pods, reason) => {
    const status = nodeStatusOf(aNode(), pods, now);

    expect(status).toMatchObject({ memory: null, cpu: null, pods: null });
    expect(status.notRead).toEqual({ memory: reason, cpu: reason, pods: reason });
  });

  it('leaves open what a node does not say of itself', () => {
    const status = nodeStatusOf(
      aNode({ status: { capacity: {}, allocatable: { memory: 'lots' } } }),
      { value: [] },
      now,
    );

    expect(status).toMatchObject({ memory: null, cpu: null, pods: null });
    expect(Object.keys(status.notRead)).toEqual(['memory', 'cpu', 'pods']);
  });
});

describe('the instance behind a node', () => {
  it.each([
    ['aws:///eu-central-1a/i-0123456789abcdef0', 'i-0123456789abcdef0'],
    ['aws:///us-east-1a/fargate-ip-10-0-0-1.ec2.internal', undefined],
    ['aws:///us-east-1a/0c6bd9/fargate-ip-10-0-0-1', undefined],
    ['eks-hybrid:///us-east-1/cluster/mi-0123456789abcdef0', undefined],
    ['', undefined],
  ])('of %s is %s', (providerID, instanceId) => {
    expect(instanceIdOf(aNode({ spec: { providerID } }))).toBe(instanceId);
  });
});
