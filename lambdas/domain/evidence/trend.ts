import * as z from 'zod';
import { count, NotRead, unknownOr } from './number.ts';

/**
 * The figures whose course says more than their level. Units: cgroups, KiB (all ...Kb), share 0 to 1 (throttledRatio),
 * percent of CPU (directReclaimPercent), pods. `workingSetKb` is of one workload, `nodeWorkingSetKb` of the whole node.
 */
export const SeriesName = z.enum([
  'dying',
  'live',
  'availableKb',
  'slabUnreclaimableKb',
  'percpuKb',
  'kubeletRssKb',
  'kubeletCpuPercent',
  'goroutines',
  'pods',
  'throttledRatio',
  'directReclaimPercent',
  'workingSetKb',
  'nodeWorkingSetKb',
]);
export type SeriesName = z.infer<typeof SeriesName>;

const Series = z.object({
  /** Metrics of CloudWatch, the ring of samples on the node, or a report that somebody has written. */
  source: z.enum(['cloudwatch', 'node', 'report']),
  /** [seconds since 1970, value], oldest first. */
  points: z
    .array(z.tuple([count, z.number()]))
    .max(500)
    .default([]),
  /** What a report says of it instead of points: so much a day, or only a word. */
  perDay: unknownOr(z.number()),
  course: unknownOr(z.enum(['rises', 'steady', 'falls'])),
});
export type Series = z.infer<typeof Series>;

/** Courses over the hours before the incident. A metric that nobody publishes is absent, and is no zero. */
export const Trend = z.object({
  series: z.partialRecord(SeriesName, Series),
  /** The workload whose working set it is. */
  workload: z.string().max(400).nullable().default(null),
  notRead: NotRead,
});
export type Trend = z.infer<typeof Trend>;
