import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { readersGroup } from '../../../cdk/constructs/cluster-access.ts';

const root = join(import.meta.dirname, '../../..');
const [role, binding] = parseAllDocuments(
  readFileSync(join(root, 'docs/kubernetes/read-around.yaml'), 'utf8'),
).map((document) => document.toJS() as unknown);
const Role = z.object({
  rules: z.array(z.object({ resources: z.array(z.string()), verbs: z.array(z.string()) })),
});

/** Each right that the manifest gives: "list pods". */
const given = Role.parse(role).rules.flatMap(({ resources, verbs }) =>
  verbs.flatMap((verb) => resources.map((resource) => `${verb} ${resource}`)),
);

/** Each right that the code says it needs, where it asks. */
const needed = ['cluster-reader.ts', 'find-node.ts', 'kubelet-endpoint.ts'].flatMap((file) =>
  [...readFileSync(join(root, 'lambdas/adapters', file), 'utf8').matchAll(/'((?:get|list) [a-z/]+)'/g)].map(
    ([, right = '']) => right,
  ),
);

describe('the manifest of the rights in a cluster', () => {
  it('gives what is asked for, and nothing else', () => {
    expect([...given].sort()).toEqual([...new Set(needed)].sort());
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
