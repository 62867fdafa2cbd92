import { describe, expect, it } from 'vitest';
import {
  ailing,
  type NodeGroupNow,
  type OwnerNow,
  WaitingPod,
  whyNoRoom,
  whyNotOwner,
} from '../../../../lambdas/domain/replacement/others-at-work.ts';
import type { Owner } from '../../../../lambdas/domain/replacement/owner.ts';

const managed: Owner = { kind: 'managed-node-group', nodeGroup: 'workers', group: 'eks-workers' };
const own: Owner = { kind: 'auto-scaling-group', group: 'mine' };
const active: NodeGroupNow = { status: 'ACTIVE', issues: [], repairs: false };
const full = (name: string) => ({ name, desired: 3, inService: 3 });
const well: OwnerNow = { nodeGroup: active, group: full('eks-workers') };

describe('the owner of a node', () => {
  it.each<[string, Owner, OwnerNow]>([
    ['a managed node group', managed, well],
    ['an Auto Scaling group', own, { group: full('mine') }],
    ['Karpenter', { kind: 'karpenter', nodeClaim: 'claim' }, {}],
    ['Auto Mode', { kind: 'auto-mode', nodeClaim: 'claim' }, {}],
  ])('%s is asked where nothing is the matter with it', (_, owner, now) => {
    expect(whyNotOwner(owner, now, [])).toBeUndefined();
  });

  it.each<[string, OwnerNow, RegExp]>([
    [
      'is being updated',
      { ...well, nodeGroup: { ...active, status: 'UPDATING' } },
      /workers is being updated/,
    ],
    [
      'is not well',
      { ...well, nodeGroup: { ...active, status: 'DEGRADED', issues: ['InsufficientFreeAddresses'] } },
      /is DEGRADED \(InsufficientFreeAddresses\): a new node may not come/,
    ],
    ['is unknown to EKS', { group: full('eks-workers') }, /EKS knows no node group workers/],
    ['has no group behind it', { nodeGroup: active }, /there is no Auto Scaling group eks-workers/],
    ['lacks nodes', { ...well, group: { name: 'eks-workers', desired: 3, inService: 2 } }, /has 2 of 3/],
    [
      'would make no new node',
      { ...well, group: { ...full('eks-workers'), whyNot: 'the group eks-workers has suspended Launch' } },
      /has suspended Launch/,
    ],
  ])('is not asked where it %s', (_, now, why) => {
    expect(whyNotOwner(managed, now, [])).toMatch(why);
  });

  const sick = ['KernelReady is False'];
  it.each<[string, Owner, OwnerNow, RegExp | undefined]>([
    [
      'has its repair on',
      managed,
      { ...well, nodeGroup: { ...active, repairs: true } },
      /auto repair may be at work.*KernelReady/,
    ],
    ['has it off', managed, well, undefined],
    ['is a group of your own', own, { group: full('mine') }, undefined],
    ['is Auto Mode', { kind: 'auto-mode', nodeClaim: 'claim' }, {}, /auto repair may be at work/],
    ['is Karpenter', { kind: 'karpenter', nodeClaim: 'claim' }, {}, /Karpenter may be repairing/],
  ])(
    'that repairs is left to it, and one that cannot is not waited for: where it %s',
    (_, owner, now, why) => {
      const answer = whyNotOwner(owner, now, sick);
      if (why === undefined) expect(answer).toBeUndefined();
      else expect(answer).toMatch(why);
    },
  );
});

describe('a node', () => {
  const node = (...conditions: [string, string][]) => ({
    status: { conditions: conditions.map(([type, status]) => ({ type, status })) },
  });
  it('is repaired for what its kernel, runtime, network and storage say, or its kubelet does not', () => {
    expect(ailing(node(['Ready', 'Unknown'], ['KernelReady', 'False'], ['StorageReady', 'True']))).toEqual([
      'Ready is Unknown',
      'KernelReady is False',
    ]);
  });
  it('is not repaired for want of memory or disk', () => {
    expect(ailing(node(['MemoryPressure', 'True'], ['DiskPressure', 'False'], ['Ready', 'True']))).toEqual(
      [],
    );
  });
});

describe('room in the cluster', () => {
  const pod = (
    name: string,
    change: { reason?: string; type?: string; deleted?: boolean } = {},
  ): WaitingPod =>
    WaitingPod.parse({
      metadata: { name, namespace: 'shop', ...(change.deleted ? { deletionTimestamp: 'now' } : {}) },
      status: {
        conditions: [
          { type: change.type ?? 'PodScheduled', status: 'False', reason: change.reason ?? 'Unschedulable' },
        ],
      },
    });

  it('is lacking where pods wait for it, and they are named', () => {
    const why = whyNoRoom(
      ['a', 'b', 'c', 'd'].map((name) => pod(name)),
      0,
    );
    expect(why).toMatch(
      /^4 pods of the cluster wait for room already \(shop\/a, shop\/b, shop\/c and others\)/,
    );
  });
  it('is not judged by pods that wait for something else, or go', () => {
    const others = [
      pod('gated', { reason: 'SchedulingGated' }),
      pod('pulling', { type: 'ContainersReady' }),
      pod('going', { deleted: true }),
    ];
    expect(whyNoRoom(others, 0)).toBeUndefined();
  });
  it('may be lacking for as many as the settings allow', () => {
    expect(whyNoRoom([pod('gpu')], 1)).toBeUndefined();
    expect(whyNoRoom([pod('gpu'), pod('web')], 1)).toContain('replacement.pendingPods: 1');
  });
});
