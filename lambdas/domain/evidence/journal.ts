import * as z from 'zod';
import { count, name, unknownOr } from './number.ts';

/** How far back the journal was read, newest first, and what was found about cgroups in general. */
export const Journal = z.object({
  coveredSeconds: z.int().positive(),
  lines: count,
  /** It was too long, or too slow, to be read as far back as an hour. */
  cutOff: z.boolean(),
  /** "no space left on device" and "cannot allocate memory" on cgroup paths. */
  cgroupNoSpace: count,
  cgroupNoMemory: count,
});

export const OomKills = z.object({
  /** By the counter of the kernel; `null` before kernel 4.13. */
  sinceBoot: unknownOr(count),
  /** Where the following was found; the log of the kernel keeps less. */
  source: z.enum(['journal', 'kmsg', 'report']),
  coveredSeconds: unknownOr(z.int().positive()),
  seen: count,
  ofKubelet: unknownOr(count),
  /** The latest ones; `at` in seconds since 1970. */
  recent: z
    .array(z.object({ at: count, comm: name, cgroup: name }))
    .max(20)
    .default([]),
});
