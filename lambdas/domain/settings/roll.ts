import * as z from 'zod';

export const RollSettings = z.strictObject({
  singly: z
    .int()
    .min(1)
    .max(100)
    .default(3)
    .describe(
      'Incidents of one cause in one cluster that people are told of one by one, by each kind of message (progress, a call for a person, the end); what comes after is told in summaries (docs/storm.md). Three show what it is; the fourth is a storm.',
    ),
  quietMinutes: z
    .int()
    .min(10)
    .max(1440)
    .default(180)
    .describe(
      'Minutes in which none of those incidents has opened or closed, after which the next are told of one by one again. Longer than an approval of high risk, two hours; one that waits longer, for its wave or a window, may be told of by itself.',
    ),
});
export type RollSettings = z.infer<typeof RollSettings>;
