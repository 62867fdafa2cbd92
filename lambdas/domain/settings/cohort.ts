import * as z from 'zod';

export const CohortSettings = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe(
      'Whether incidents with the same cause and the same treatment are decided and treated together. false: each node has a card of its own, and automatic treatments only the budget and the breaker between them.',
    ),
  gatherSeconds: z
    .int()
    .min(0)
    .max(600)
    .default(60)
    .describe(
      'Seconds after the first incident until people are asked, about all that have come by then. A fleet that leaks raises its alarms within a minute; a single node can wait as long.',
    ),
  windowMinutes: z
    .int()
    .min(1)
    .max(120)
    .default(10)
    .describe(
      'Minutes after a decision in which incidents join that it was made for; later ones are decided anew. Also how long a stop holds for those that come after it.',
    ),
  canary: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe(
      'Nodes of the first wave. One: if the diagnosis is wrong, or the treatment does harm, it does so once.',
    ),
  growth: z
    .int()
    .min(1)
    .max(10)
    .default(2)
    .describe(
      'By how much the next wave is larger where all of the wave before were helped. Doubling treats 200 nodes in eight waves, and never more than were helped before, and one.',
    ),
  stopAtFailures: z
    .int()
    .min(1)
    .max(100)
    .default(1)
    .describe(
      'Treatments of a cohort that did not help, after which none of its nodes is treated any more. One: all have the same cause and get the same treatment, so what fails once is not understood.',
    ),
  waitMinutes: z
    .int()
    .min(1)
    .max(1440)
    .default(360)
    .describe(
      'Minutes that one incident waits for its wave, beside the time for the decision. Six hours are eight waves of a treatment and the looks after it with some waiting for the budget; the node is leased meanwhile.',
    ),
  askAgainSeconds: z
    .int()
    .min(1)
    .max(300)
    .default(60)
    .describe('Seconds after which one that waits asks again: each question is one read of one item.'),
});
export type CohortSettings = z.infer<typeof CohortSettings>;
