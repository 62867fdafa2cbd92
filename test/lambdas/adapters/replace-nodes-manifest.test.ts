import { describe, expect, it } from 'vitest';
import { readersGroup, replacersGroup } from '../../../cdk/constructs/cluster-access.ts';
import { manifest, rightsIn } from './manifest.ts';

const { role, binding, rules, given } = manifest('replace-nodes.yaml');

describe('the manifest of the rights to replace nodes', () => {
  it('gives what is asked for, and nothing else', () => {
    expect(given).toEqual(rightsIn(['node-change.ts', 'find-node.ts', 'kubernetes-changes.ts']));
  });

  it('gives these rights to change something, and no other', () => {
    expect(given.filter((right) => !/^(get|list) /.test(right))).toEqual([
      'create pods/eviction',
      'delete nodeclaims',
      'patch nodes',
    ]);
  });

  it('gives no right that could delete a pod or a node, run, or read a secret', () => {
    for (const right of given) {
      expect(right).not.toMatch(
        /proxy|secrets|exec|attach|\*|^delete (pods|nodes)$|^(patch|update|create) pods$/,
      );
    }
  });

  it('means the resources of Kubernetes and the claims of Karpenter, and none of that name elsewhere', () => {
    for (const { apiGroups, resources } of rules) {
      expect(apiGroups).toEqual(resources.includes('nodeclaims') ? ['karpenter.sh'] : ['']);
    }
  });

  it('is bound to the group of the access entry, and not to that of those who read', () => {
    expect(binding).toMatchObject({
      kind: 'ClusterRoleBinding',
      roleRef: { kind: 'ClusterRole', name: 'cgroup-medic-replacers' },
      subjects: [{ kind: 'Group', name: replacersGroup }],
    });
    expect(role).toMatchObject({ kind: 'ClusterRole', metadata: { name: 'cgroup-medic-replacers' } });
    expect(replacersGroup).not.toBe(readersGroup);
  });
});
