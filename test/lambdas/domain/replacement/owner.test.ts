import { describe, expect, it } from 'vitest';
import { callFor, ownerOf } from '../../../../lambdas/domain/replacement/owner.ts';
import { whyNotReplace } from '../../../../lambdas/domain/replacement/why-not-replace.ts';
import { aNode, instanceId } from './objects.ts';

type Signs = { labels?: Record<string, string>; tags?: Record<string, string>; claims?: string[] };

const group = { 'aws:autoscaling:groupName': 'eks-web-1' };
const nodeGroup = { ...group, 'eks:nodegroup-name': 'web', 'eks:cluster-name': 'prod' };
const label = { 'eks.amazonaws.com/nodegroup': 'web' };
const pool = { 'karpenter.sh/nodepool': 'default' };
const type = (value: string) => ({ 'eks.amazonaws.com/compute-type': value });

function owner({ labels = {}, tags = {}, claims = [] }: Signs) {
  const ownerReferences = claims.map((name) => ({
    kind: 'NodeClaim',
    name,
    apiVersion: 'karpenter.sh/v1',
    uid: 'x',
  }));
  return ownerOf(aNode({ metadata: { labels, ownerReferences } }), tags);
}

describe('the owner of a node', () => {
  it.each<[string, Signs, object]>([
    [
      'a managed node group',
      { labels: label, tags: nodeGroup },
      { kind: 'managed-node-group', nodeGroup: 'web', group: 'eks-web-1' },
    ],
    ['a group of its own', { tags: group }, { kind: 'auto-scaling-group', group: 'eks-web-1' }],
    [
      'Karpenter',
      { labels: pool, tags: pool, claims: ['default-x7k2p'] },
      { kind: 'karpenter', nodeClaim: 'default-x7k2p' },
    ],
    [
      'Auto Mode',
      { labels: { ...pool, ...type('auto') }, claims: ['general-x7k2p'] },
      { kind: 'auto-mode', nodeClaim: 'general-x7k2p' },
    ],
  ])('is %s', (_, signs, expected) => {
    expect(owner(signs)).toEqual(expected);
  });

  it.each<[string, Signs, string]>([
    ['nothing speaks of one', {}, 'no Auto Scaling group, node group or NodeClaim has it'],
    ['only a label does', { labels: label }, 'its instance is in no Auto Scaling group'],
    [
      'only a tag that anybody can set does',
      { tags: { 'eks:nodegroup-name': 'web' } },
      'no Auto Scaling group',
    ],
    [
      'label and tag name different groups',
      { labels: label, tags: { ...nodeGroup, 'eks:nodegroup-name': 'api' } },
      'its label says node group web, its instance api',
    ],
    [
      'the tag of a node group has no label',
      { tags: nodeGroup },
      'its label says no node group, its instance web',
    ],
    [
      'the label has no tag',
      { labels: label, tags: group },
      'its label says node group web, its instance none',
    ],
    [
      'Karpenter and a group have it',
      { labels: pool, claims: ['c'], tags: group },
      'the signs of Karpenter, and its instance is in the group eks-web-1',
    ],
    ['its pool has no claim for it', { labels: pool }, 'no NodeClaim owns it'],
    ['a tag alone says Karpenter', { tags: pool }, 'no NodeClaim owns it'],
    ['two claims have it', { labels: pool, claims: ['a', 'b'] }, '2 NodeClaims own it'],
    ['Auto Mode has no claim for it', { labels: type('auto') }, 'no NodeClaim owns it'],
    [
      'it is one of Auto Mode in a group',
      { labels: { ...pool, ...type('auto') }, claims: ['c'], tags: group },
      'the signs of Karpenter',
    ],
    ['it runs on Fargate', { labels: type('fargate') }, 'it is a fargate node'],
    ['it is elsewhere', { labels: { ...label, ...type('hybrid') }, tags: nodeGroup }, 'it is a hybrid node'],
  ])('is unknown where %s, and nothing is called then', (_, signs, why) => {
    const found = owner(signs);
    expect(found).toMatchObject({ kind: 'unknown', why: expect.stringContaining(why) });
    expect(callFor(found, instanceId)).toEqual({ refused: expect.stringContaining(why) });
  });

  it('decides the call: a group ends its instance, Karpenter and Auto Mode their claim', () => {
    expect(callFor(owner({ labels: label, tags: nodeGroup }), instanceId)).toEqual({
      call: 'terminate-in-group',
      group: 'eks-web-1',
      instanceId,
    });
    expect(callFor(owner({ tags: group }), instanceId)).toMatchObject({ call: 'terminate-in-group' });
    expect(callFor(owner({ claims: ['a'] }), instanceId)).toEqual({
      call: 'delete-node-claim',
      nodeClaim: 'a',
    });
    expect(callFor(owner({ claims: ['a'], labels: type('auto') }), instanceId)).toEqual({
      call: 'delete-node-claim',
      nodeClaim: 'a',
    });
  });
});

describe('a node is not drained at all', () => {
  const now = new Date('2026-11-28T06:30:00Z');
  const why = (change: Parameters<typeof aNode>[0], leastAgeMinutes = 60) =>
    whyNotReplace(aNode(change), { instanceId, now, settings: { leastAgeMinutes } });

  it('unless nothing speaks against it', () => {
    expect(why({})).toBeUndefined();
    expect(
      why({ spec: { providerID: `aws:///z/${instanceId}`, taints: [{ key: 'gpu', effect: 'NoSchedule' }] } }),
    ).toBeUndefined();
  });

  it.each([
    [
      'it is another instance',
      { spec: { providerID: 'aws:///z/i-0fedcba9876543210' } },
      'is i-0fedcba9876543210, and not of',
    ],
    ['it is of none', { spec: { providerID: '' } }, 'of no instance'],
    [
      'it is being deleted',
      { metadata: { deletionTimestamp: '2026-11-28T06:00:00Z' } },
      'deleting it already',
    ],
    [
      'Karpenter takes it away',
      { spec: { taints: [{ key: 'karpenter.sh/disrupted', effect: 'NoSchedule' }] } },
      'by Karpenter (taint karpenter.sh/disrupted)',
    ],
    [
      'an old Karpenter does',
      { spec: { taints: [{ key: 'karpenter.sh/disruption', value: 'disrupting' }] } },
      'by Karpenter (taint karpenter.sh/disruption)',
    ],
    [
      'the cluster autoscaler does',
      { spec: { taints: [{ key: 'ToBeDeletedByClusterAutoscaler', value: '1' }] } },
      'by the Cluster Autoscaler (taint ToBeDeleted',
    ],
    [
      'EC2 takes it back',
      { spec: { taints: [{ key: 'aws-node-termination-handler/spot-itn', value: 'x' }] } },
      'by EC2, which takes the Spot instance back',
    ],
    [
      'somebody wants to keep it',
      { metadata: { annotations: { 'karpenter.sh/do-not-disrupt': 'true' } } },
      'it says karpenter.sh/do-not-disrupt: true',
    ],
    ['it is young', { metadata: { creationTimestamp: '2026-11-28T05:31:00Z' } }, 'it is 59 min old'],
    [
      'it comes from the future',
      { metadata: { creationTimestamp: '2026-11-28T07:31:00Z' } },
      'it is 0 min old',
    ],
  ])('where %s', (_, change, expected) => {
    const spec = { providerID: `aws:///z/${instanceId}`, ...('spec' in change ? change.spec : {}) };
    expect(why({ ...change, spec })).toContain(expected);
  });

  it('where it is younger than the settings say, to the minute', () => {
    const metadata = { creationTimestamp: '2026-11-28T05:30:00Z' };
    expect(why({ metadata }, 60)).toBeUndefined();
    expect(why({ metadata }, 61)).toContain('it is 60 min old');
  });
});
