import * as z from 'zod';
import { count, name, share, unknownOr } from './number.ts';

export const Reclaim = z.object({
  windowMs: z.int().positive(),
  pgscanDirect: count,
  pgscanKswapd: count,
  pgstealDirect: count,
  pgstealKswapd: count,
  allocstall: count,
  pgmajfault: count,
});

/** Cgroups that used up their own CPU quota in the window, worst ratio first. */
export const Throttling = z.object({
  windowMs: z.int().positive(),
  cgroups: count,
  omitted: count,
  /** So many have a quota and were awake. */
  withQuota: count,
  throttled: count,
  top: z
    .array(
      z.object({
        path: name,
        /** NAMESPACE/NAME, or the UID where the name is not known; `null` outside of pods. */
        pod: unknownOr(name),
        periods: count,
        throttledPeriods: count,
        throttledMs: count,
      }),
    )
    .max(20),
});

const percent = unknownOr(share);

export const Load = z.object({
  /** Over 1, 5 and 15 minutes. */
  averages: z.tuple([share, share, share]),
  running: count,
  threads: count,
  processes: count,
  /** Processes in state D, and those of them that were still in it after the window. */
  blocked: count,
  blockedThroughout: unknownOr(count),
  blockedIn: z.array(z.object({ comm: name, wchan: unknownOr(name), processes: count })).max(20),
  shares: z.object({
    windowMs: unknownOr(z.int().positive()),
    /** Of all CPUs. */
    systemPercent: percent,
    iowaitPercent: percent,
    /** Of one CPU. */
    kworkerPercent: percent,
    kswapdPercent: percent,
    /** Of all CPUs, estimated: a page costs as much to scan as kswapd pays. `null` where kswapd scanned too few. */
    directReclaimPercent: percent,
    /** Of the window, in which at least one task waited for memory (PSI). */
    memoryStallPercent: percent,
  }),
});

/** Memory cgroups made and removed in the window. */
export const Churn = z.object({
  source: z.enum(['tracepoints', 'directories']),
  windowMs: z.int().positive(),
  made: count,
  removed: count,
  /** Events that did not fit into the buffer. */
  lost: count,
  patterns: z
    .array(
      z.object({
        /** Counters and ids in it are "#". */
        path: name,
        made: count,
        removed: count,
        /** Name of the process that did most of it; only tracepoints tell. */
        by: unknownOr(name),
      }),
    )
    .max(20),
});
