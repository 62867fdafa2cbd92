import * as z from 'zod';
import { seconds } from './units.ts';

export const Harm = z.strictObject({
  availablePoints: z
    .number()
    .min(1)
    .max(100)
    .default(10)
    .describe('Percentage points of memory that may be less available after a treatment than before it.'),
  stalledPoints: z
    .number()
    .min(1)
    .max(100)
    .default(10)
    .describe('Percentage points of time (memory PSI, avg10) that tasks may wait longer for memory.'),
  throttledPoints: z
    .number()
    .min(1)
    .max(100)
    .default(20)
    .describe(
      'Percentage points of its CPU periods in which the worst cgroup may be throttled more: a look of two seconds sees only twenty periods.',
    ),
  directStallsPerSecond: z
    .number()
    .min(0)
    .max(10_000)
    .default(10)
    .describe('Tasks a second more that may have to reclaim memory themselves (allocstall).'),
  cgroupsPercent: z
    .number()
    .min(1)
    .max(1000)
    .default(20)
    .describe('Percent by which memory cgroups, the living and all, may become more; a hundred always may.'),
});
export type Harm = z.infer<typeof Harm>;

export const Verification = z.strictObject({
  windowSeconds: seconds(2, 3600).default(600).describe('How long the node is watched after a treatment.'),
  samples: z
    .int()
    .min(5)
    .max(30)
    .default(6)
    .describe('Looks at the node over that window. Fewer than five never prove a cure.'),
  harm: Harm.prefault({}),
});
