import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import * as z from 'zod';

const root = join(import.meta.dirname, '../../..');
const Role = z.object({
  rules: z.array(
    z.object({
      apiGroups: z.array(z.string()),
      resources: z.array(z.string()),
      verbs: z.array(z.string()),
    }),
  ),
});

/** A role and its binding, and each right that it gives, as "list pods". */
export function manifest(file: string) {
  const [role, binding] = parseAllDocuments(readFileSync(join(root, 'docs/kubernetes', file), 'utf8')).map(
    (document) => document.toJS() as unknown,
  );
  const { rules } = Role.parse(role);
  const given = rules.flatMap(({ resources, verbs }) =>
    verbs.flatMap((verb) => resources.map((resource) => `${verb} ${resource}`)),
  );
  return { role, binding, rules, given: given.sort() };
}

/** Each right that the code of these adapters says it needs, where it asks. */
export function rightsIn(files: readonly string[]): string[] {
  const rights = files.flatMap((file) =>
    [
      ...readFileSync(join(root, 'lambdas/adapters', file), 'utf8').matchAll(
        /'((?:get|list|patch|create|update|delete) [a-z/]+)'/g,
      ),
    ].map(([, right = '']) => right),
  );
  return [...new Set(rights)].sort();
}
