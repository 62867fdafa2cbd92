import * as z from 'zod';

export const StandingSettings = z.strictObject({
  cures: z
    .int()
    .min(1)
    .max(100)
    .default(3)
    .describe(
      'Incidents of one node group in which reclaim helped against the same cause (cured or relieved) within gates.recurrence.windowDays, from which on a standing reclaim of the group is offered. Once is an accident and twice may be; what was helped three times in a week is made anew.',
    ),
  days: z
    .int()
    .min(1)
    .max(90)
    .default(14)
    .describe(
      'Days after which a standing treatment ends by itself. Two weeks: long enough to change whatever makes the dying cgroups, and short enough that nobody forgets that it runs.',
    ),
  nodesAtOnce: z
    .int()
    .min(1)
    .max(50)
    .default(2)
    .describe(
      'Nodes of one group that are treated at the same time by their standing treatment. Reclaim is paced on each; two at a time show whether it does harm before many have had it.',
    ),
  coolDownMinutes: z
    .int()
    .min(15)
    .max(10_080)
    .default(60)
    .describe(
      'Minutes for which a node that was raised by a standing treatment is not raised by it again. One that is back over the threshold within the hour is not kept up with, which the weekly judgement says.',
    ),
  failures: z
    .int()
    .min(1)
    .max(20)
    .default(3)
    .describe(
      'Reclaims of a standing treatment in a row that did not help, after which it ends itself. As many as open the breaker of a cluster.',
    ),
});
