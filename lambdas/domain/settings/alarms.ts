import * as z from 'zod';

export const Alarms = z.strictObject({
  containerInsights: z
    .boolean()
    .default(false)
    .describe(
      'Whether the cluster publishes to Container Insights, so that there are alarms on failed nodes and on memory as well.',
    ),
});
