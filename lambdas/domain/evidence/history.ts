import * as z from 'zod';
import { count } from './number.ts';

const known = count.nullable();

/** Earlier samples of this boot that the node kept, oldest first, so that growth has a slope. */
export const History = z.object({
  samples: z
    .array(
      z
        .tuple([count, known, known, known, known, known, known])
        .describe(
          'at (seconds since 1970), live, dying, dying below user.slice, available, unreclaimable slab, percpu (KiB)',
        ),
    )
    .max(50),
});
