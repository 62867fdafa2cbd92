import * as z from 'zod';

/**
 * What became of one eviction.
 * going: the pod is on its way out. gone: there is no such pod any more, and the list of pods has the last word.
 * refused: a budget allows no more just now. busy: nobody looked at it. stop: asking again would not help.
 */
export const EvictionAnswer = z.discriminatedUnion('is', [
  z.object({ is: z.literal('going') }),
  z.object({ is: z.literal('gone') }),
  z.object({
    is: z.literal('refused'),
    budgets: z.array(z.string()),
    says: z.string(),
    /** What the API server asks for, if it does. */
    retrySeconds: z.int().nonnegative().optional(),
  }),
  z.object({ is: z.literal('busy'), says: z.string() }),
  z.object({ is: z.literal('stop'), says: z.string() }),
]);
export type EvictionAnswer = z.infer<typeof EvictionAnswer>;
