import * as z from 'zod';
import { count, name, share, unknownOr } from './number.ts';

export const Reclaim = z.object({
  windowMs: unknownOr(z.int().positive()),
  pgscanDirect: unknownOr(count),
  pgscanKswapd: unknownOr(count),
  pgstealDirect: unknownOr(count),
  pgstealKswapd: unknownOr(count),
  allocstall: unknownOr(count),
  pgmajfault: unknownOr(count),
});

/** Cgroups that used up their own CPU quota in the window, worst ratio first. */
export const Throttling = z.object({
  windowMs: unknownOr(z.int().positive()),
  cgroups: count,
  omitted: count.default(0),
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
        throttledMs: unknownOr(count),
        /** Its quota in each period, and the CPUs that its cpuset leaves it. */
        quotaUs: unknownOr(count),
        periodUs: unknownOr(z.int().positive()),
        cpus: unknownOr(count),
      }),
    )
    .max(20),
});

const percent = unknownOr(share);

export const Load = z.object({
  /** Over 1, 5 and 15 minutes. */
  averages: unknownOr(z.tuple([share, share, share])),
  running: unknownOr(count),
  threads: unknownOr(count),
  processes: unknownOr(count),
  /** Processes in state D, and those of them that were still in it after the window. */
  blocked: unknownOr(count),
  blockedThroughout: unknownOr(count),
  blockedIn: z
    .array(z.object({ comm: name, wchan: unknownOr(name), processes: count }))
    .max(20)
    .default([]),
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
