import * as z from 'zod';
import { quickSeries } from '../census/node-figures.ts';

export const Census = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe(
        'Whether the nodes of the cluster are looked at by the clock (docs/census.md). Without it, a node that no alarm speaks of is never looked at.',
      ),
    everyMinutes: z
      .int()
      .min(5)
      .max(1440)
      .default(15)
      .describe('Minutes from one quick look at all nodes to the next. A leak that matters takes hours.'),
    jitterMinutes: z
      .int()
      .min(0)
      .max(60)
      .default(5)
      .describe(
        'Minutes by which a look may begin later, so that clusters are not all asked in the same second. 0: none.',
      ),
    nodesAtOnce: z
      .int()
      .min(1)
      .max(500)
      .default(50)
      .describe(
        'Nodes that run the document at the same time: 50 is what SSM takes where nothing is said. A look takes half a second of one CPU on each.',
      ),
    nodeMetrics: z
      .array(z.enum(quickSeries))
      .max(quickSeries.length)
      .default(['dying', 'availableKb', 'slabUnreclaimableKb'])
      .describe(
        'Figures of each node that become CloudWatch metrics, each of which is paid for by the node and month. The node itself remembers the course of all five for a day.',
      ),
    raiseAtMost: z
      .int()
      .min(0)
      .max(100)
      .default(5)
      .describe(
        'Nodes over threshold that one look raises as incidents, the worst first. The others are counted in NodesHeldBack. 0: the census only measures.',
      ),
    coolDownMinutes: z
      .int()
      .min(30)
      .max(10_080)
      .default(360)
      .describe(
        'Minutes for which a node that was raised is not raised again, whatever became of it: people need not be told of the same node four times an hour.',
      ),
    weeklyReport: z
      .enum(['never', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'])
      .default('MON')
      .describe(
        'Day, at 06:00 UTC, of the report of what the nodes carry for nothing. It runs both evidence documents on every node.',
      ),
  })
  .refine(({ jitterMinutes, everyMinutes }) => jitterMinutes < everyMinutes, {
    message: 'must have jitterMinutes below everyMinutes: one look would begin after the next',
  });
export type Census = z.infer<typeof Census>;
