import { causes } from '../lambdas/domain/causes/index.ts';

/**
 * The text of lambdas/domain/causes/cause-id.ts: the ids of the causes apart from their rules, so that a function that only
 * has to know what a cause can be called does not carry all of these. What this imports must not import that file.
 */
export function causeIds(): string {
  return causeIdsOf(causes.map(({ id }) => id));
}

export function causeIdsOf(ids: readonly string[]): string {
  return `import * as z from 'zod';

/** The ids of the causes, apart from their rules. Made from the list in index.ts by \`npm run docs\`. */
export const CauseId = z.enum([
${[...ids, 'inconclusive'].map((id) => `  '${id}',`).join('\n')}
]);
export type CauseId = z.infer<typeof CauseId>;
`;
}
