import * as z from 'zod';

/**
 * What became of a change. already: it was so before. gone: there is nothing to change any more.
 * refused: it is not ours to change, or must not be changed now.
 */
export const Changed = z.object({ is: z.enum(['done', 'already', 'gone', 'refused']), says: z.string() });
export type Changed = z.infer<typeof Changed>;
