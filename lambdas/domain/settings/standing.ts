import * as z from 'zod';

export const StandingSettings = z.strictObject({
  cures: z
    .int()
    .min(1)
    .max(100)
    .default(3)
    .describe(
      'Incidents of one node group in which reclaim, or a restart of the kubelet, helped against the same cause (cured or relieved) within gates.recurrence.windowDays, from which on it is offered as a standing treatment of the group. Once is an accident and twice may be; what was helped three times in a week is made anew.',
    ),
  days: z
    .int()
    .min(1)
    .max(90)
    .default(14)
    .describe(
      'Days after which a standing treatment ends by itself. Two weeks: long enough to change whatever makes it needed, and short enough that nobody forgets that it runs.',
    ),
  nodesAtOnce: z
    .int()
    .min(1)
    .max(50)
    .default(2)
    .describe(
      'Nodes of one group that are treated at the same time by their standing reclaim. It is paced on each; two at a time show whether it does harm before many have had it. Kubelets are restarted one at a time, whatever this says.',
    ),
  coolDownMinutes: z
    .int()
    .min(15)
    .max(10_080)
    .default(60)
    .describe(
      'Minutes for which a node that was raised by a standing treatment is not raised by it again. One that is back over the threshold within the hour is not kept up with, which the weekly judgement says.',
    ),
  aheadHours: z
    .int()
    .min(1)
    .max(168)
    .default(24)
    .describe(
      'Hours of reserve of a standing restart: a kubelet that by its course is full before the next maintenance window has been open for so long has its turn in this one. A day: its neighbours have their turn before it, one at a time, and the course of one day is no promise for the next.',
    ),
  failures: z
    .int()
    .min(1)
    .max(20)
    .default(3)
    .describe(
      'Nodes of a standing treatment in a row that it did not help, after which it ends itself. As many as open the breaker of a cluster.',
    ),
});
