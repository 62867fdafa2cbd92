import * as z from 'zod';
import { CauseId } from '../causes/cause-id.ts';

export const Examination = z.strictObject({
  windowSeconds: z
    .literal([1, 2, 5])
    .default(5)
    .describe(
      'How long an examination watches the node for what can only be seen over time: who makes and removes cgroups, throttling, reclaim, load. A shorter window sees less of what happens seldom. The looks after a treatment have no such window.',
    ),
});

export const Diagnosing = z.strictObject({
  shadow: z
    .array(CauseId.exclude(['healthy', 'inconclusive']))
    .max(20)
    .default([])
    .describe(
      'Causes whose rules only watch here: what they find is reported, and nothing is done about it. For a rule that has still to earn trust.',
    ),
});
