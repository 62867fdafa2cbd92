import * as z from 'zod';

export const Sessions = z.strictObject({
  linger: z
    .enum(['where-it-helps', 'always'])
    .default('where-it-helps')
    .describe(
      'Whether enable-linger is tried also where the evidence says that each session has a memory cgroup of its own, so that it cannot help.',
    ),
});

export const Scopes = z.strictObject({
  minAgeSeconds: z
    .literal([60, 300, 900, 3600, 21_600, 86_400])
    .default(3600)
    .describe('How old an empty directory of a scope or session must be before stop-scopes removes it.'),
});
