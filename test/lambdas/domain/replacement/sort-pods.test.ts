import { describe, expect, it } from 'vitest';
import { PodOnNode } from '../../../../lambdas/domain/replacement/objects.ts';
import { type PodPolicy, sortPods } from '../../../../lambdas/domain/replacement/sort-pods.ts';
import { aPod, type PodChange } from './objects.ts';

const strict: PodPolicy = { barePods: 'block', localData: 'block' };
const mirror = { 'kubernetes.io/config.mirror': 'abc' };
const doNotDisrupt = { 'karpenter.sh/do-not-disrupt': 'true' };
const unsafe = { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' };
const safe = { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true' };
const safeVolumes = (names: string) => ({
  'cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes': names,
});
const emptyDir = [{ name: 'cache', emptyDir: {} }];

function sort(change: PodChange, policy: Partial<PodPolicy> = {}) {
  const { evict, leaving, skipped, blocked } = sortPods([aPod(change)], { ...strict, ...policy });
  if (evict.length === 1) return 'evict';
  if (leaving.length === 1) return 'leaving';
  return skipped[0]?.why ?? `blocked: ${blocked[0]?.why}`;
}

describe('a pod of a node that is drained', () => {
  it.each<[string, PodChange, string]>([
    ['of a Deployment', {}, 'evict'],
    ['of a StatefulSet', { owner: 'StatefulSet' }, 'evict'],
    ['that waits for its image', { phase: 'Pending' }, 'evict'],
    [
      'with volumes of elsewhere',
      {
        volumes: [
          { name: 'c', configMap: {} },
          { name: 'p', persistentVolumeClaim: {} },
        ],
      },
      'evict',
    ],
    ['with an emptyDir in memory', { volumes: [{ name: 'shm', emptyDir: { medium: 'Memory' } }] }, 'evict'],
    ['that may be disrupted', { annotations: { 'karpenter.sh/do-not-disrupt': 'false' } }, 'evict'],
    ['whose volumes may go', { volumes: emptyDir, annotations: safeVolumes('tmp, cache') }, 'evict'],
    ['that is bare, and says that it may go', { owner: null, volumes: emptyDir, annotations: safe }, 'evict'],
    ['of a static pod', { owner: 'Node', annotations: mirror }, 'mirror'],
    ['of a DaemonSet', { owner: 'DaemonSet' }, 'daemon-set'],
    ['of a DaemonSet with local data', { owner: 'DaemonSet', volumes: emptyDir }, 'daemon-set'],
    ['of a DaemonSet, on its way out', { owner: 'DaemonSet', terminating: true }, 'daemon-set'],
    ['that has succeeded', { owner: 'Job', phase: 'Succeeded' }, 'finished'],
    ['that has failed, bare', { owner: null, phase: 'Failed' }, 'finished'],
    ['on its way out', { terminating: true }, 'leaving'],
    ['on its way out, bare', { owner: null, terminating: true }, 'leaving'],
  ])('%s', (_, change, expected) => {
    expect(sort(change)).toBe(expected);
  });

  it.each<[string, PodChange, string]>([
    ['is bare', { owner: null }, 'blocked: no controller owns it'],
    ['has an emptyDir', { volumes: emptyDir }, 'blocked: what is in cache would be lost'],
    [
      'has a hostPath',
      { volumes: [{ name: 'host', hostPath: { path: '/data' } }] },
      'blocked: what is in host would be lost',
    ],
    [
      'has a volume beside those that may go',
      { volumes: [...emptyDir, { name: 'data', emptyDir: {} }], annotations: safeVolumes('cache') },
      'blocked: what is in data would be lost',
    ],
    [
      'says that it must not be disrupted',
      { annotations: doNotDisrupt },
      'blocked: it says karpenter.sh/do-not-disrupt: true',
    ],
    [
      'says so in another word',
      { annotations: { 'karpenter.sh/do-not-disrupt': '2h' } },
      'blocked: it says karpenter.sh/do-not-disrupt: 2h',
    ],
    [
      'says that it is not safe',
      { annotations: unsafe },
      'blocked: it says cluster-autoscaler.kubernetes.io/safe-to-evict: false',
    ],
    [
      'says both',
      { annotations: { ...doNotDisrupt, ...safe } },
      'blocked: it says karpenter.sh/do-not-disrupt: true',
    ],
  ])('blocks where it %s', (_, change, expected) => {
    expect(sort(change)).toMatch(expected);
  });

  it('is evicted in spite of what it loses where the settings say so, and of nothing else', () => {
    expect(sort({ owner: null }, { barePods: 'evict' })).toBe('evict');
    expect(sort({ volumes: emptyDir }, { localData: 'evict' })).toBe('evict');
    expect(sort({ owner: null, volumes: emptyDir }, { barePods: 'evict' })).toMatch('blocked');
    expect(sort({ owner: null, volumes: emptyDir }, { localData: 'evict' })).toMatch('blocked');
    const all: PodPolicy = { barePods: 'evict', localData: 'evict' };
    expect(sort({ annotations: doNotDisrupt }, all)).toMatch('blocked');
    expect(sort({ annotations: unsafe }, all)).toMatch('blocked');
  });

  it('belongs to a controller only where that is said: another owner makes it no less bare', () => {
    const { blocked } = sortPods(
      [
        PodOnNode.parse({
          metadata: {
            name: 'a',
            namespace: 'b',
            uid: 'c',
            ownerReferences: [{ kind: 'DaemonSet', name: 'd' }],
          },
          spec: {},
          status: { phase: 'Running' },
        }),
      ],
      strict,
    );
    expect(blocked).toHaveLength(1);
  });

  it.each(['uid', 'namespace', 'name'])('is not read at all without its %s', (field) => {
    const { metadata, ...rest } = aPod();
    expect(PodOnNode.safeParse({ ...rest, metadata: { ...metadata, [field]: undefined } }).success).toBe(
      false,
    );
  });
});
