import { describe, expect, it } from 'vitest';
import { readersGroup } from '../../../cdk/constructs/cluster-access.ts';
import { manifest, rightsIn } from './manifest.ts';

const { role, binding, given } = manifest('read-around.yaml');

describe('the manifest of the rights in a cluster', () => {
  it('gives what is asked for, and nothing else', () => {
    expect(given).toEqual(rightsIn(['cluster-reader.ts', 'find-node.ts', 'kubelet-endpoint.ts']));
  });

  it('gives no right that could run, read a secret or change anything', () => {
    for (const right of given) expect(right).toMatch(/^(get|list) (?!.*(proxy|secrets|exec|\*))/);
  });

  it('is bound to the group of the access entry', () => {
    expect(binding).toMatchObject({
      kind: 'ClusterRoleBinding',
      roleRef: { kind: 'ClusterRole', name: 'cgroup-medic-readers' },
      subjects: [{ kind: 'Group', name: readersGroup }],
    });
    expect(role).toMatchObject({ kind: 'ClusterRole', metadata: { name: 'cgroup-medic-readers' } });
  });
});
