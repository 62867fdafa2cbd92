import { describe, expect, it } from 'vitest';
import { nodeGroupOf, whereaboutsOf } from '../../../../lambdas/domain/gates/fleet.ts';

describe('the group of a node', () => {
  const tag = (key: string, value: string) => ({ key, value });
  const asg = tag('aws:autoscaling:groupName', 'eks-web-1234');

  it.each([
    [[asg, tag('eks:nodegroup-name', 'web')], 'web'],
    [[tag('karpenter.sh/nodepool', 'web')], 'nodepool/web'],
    [[tag('eks:kubernetes-node-pool-name', 'general-purpose')], 'nodepool/general-purpose'],
    [[tag('Name', 'x'), asg], 'asg/eks-web-1234'],
    [[tag('eks:nodegroup-name', ''), tag('Name', 'x')], 'unknown'],
    [[], 'unknown'],
  ])('with the tags %o is %s', (tags, group) => {
    expect(nodeGroupOf(tags)).toBe(group);
  });
});

describe('where a node stands', () => {
  const nodes = [
    { instanceId: 'i-1', nodeGroup: 'web', zone: 'a' },
    { instanceId: 'i-2', nodeGroup: 'web', zone: 'b' },
    { instanceId: 'i-3', nodeGroup: 'unknown', zone: 'a' },
  ];

  it('is its group and zone, with how many nodes there are', () => {
    expect(whereaboutsOf('i-2', nodes)).toEqual({
      nodeGroup: 'web',
      zone: 'b',
      nodes: { cluster: 3, nodeGroup: 2 },
    });
  });

  it('is unknown for one that is not listed, which counts to the cluster all the same', () => {
    expect(whereaboutsOf('i-9', nodes)).toEqual({
      nodeGroup: 'unknown',
      zone: 'unknown',
      nodes: { cluster: 3, nodeGroup: 1 },
    });
  });
});
