import * as z from 'zod';
import { probeOf } from './probe.ts';

const count = z.int().nonnegative();
const kb = z.int().nonnegative();
const avg = z.number().nonnegative();

const Stall = z.object({ avg10: avg, avg60: avg, avg300: avg, totalUs: count });
const Pressure = z.object({ some: Stall, full: Stall.nullable() });

/** One cgroup on the way down to where dying ones are, with the figures of its whole subtree. */
export const Slice = z.object({
  /** Path relative to the mount of the memory hierarchy, with a leading slash. */
  path: z.string().regex(/^\//).max(1024),
  /** Live cgroups below it. */
  live: count.nullable(),
  /** Dying memory cgroups below it; `null` on cgroup v1, which has no such count per slice. */
  dying: count.nullable(),
  /**
   * Page cache, in KiB, charged to the subtree and to no living member of it: what dying cgroups still hold.
   * `null` where it was not read.
   */
  ghostKb: kb.nullable(),
  /** Page cache of the whole subtree, in KiB. */
  cachedKb: kb.nullable(),
});
export type Slice = z.infer<typeof Slice>;

const probes = z.object({
  host: probeOf(
    z.object({
      kernel: z.string().max(200),
      os: z.string().max(200),
      bootId: z.string().max(64),
      uptimeSeconds: count,
      cpus: z.int().positive(),
    }),
  ),
  hierarchy: probeOf(
    z.object({
      /** Which cgroup version owns the memory controller. */
      memory: z.enum(['v1', 'v2']),
      layout: z.enum(['unified', 'hybrid', 'legacy']),
      mount: z.string().max(1024),
    }),
  ),
  cgroups: probeOf(z.object({ live: count, dying: count, source: z.enum(['cgroup.stat', 'proc-cgroups']) })),
  slices: probeOf(
    z.object({
      entries: z.array(Slice).max(100),
      /** Slices left out because the list is bounded. */
      omitted: count,
      /** Slices whose ghost bytes were not read, because they have too many children. */
      unread: count,
    }),
  ),
  memory: probeOf(
    z.object({
      totalKb: z.int().positive(),
      availableKb: kb,
      cachedKb: kb,
      slabReclaimableKb: kb,
      slabUnreclaimableKb: kb,
      percpuKb: kb,
      shmemKb: kb,
      dirtyKb: kb,
    }),
  ),
  pressure: probeOf(z.object({ memory: Pressure, io: Pressure, cpu: Pressure })),
  reclaim: probeOf(
    z.object({
      windowMs: z.int().positive(),
      pgscanDirect: count,
      pgscanKswapd: count,
      pgstealDirect: count,
      pgstealKswapd: count,
      allocstall: count,
      pgmajfault: count,
    }),
  ),
});

/** What the node told us, as the document `collect-evidence` prints it. Unknown probes of a newer document are dropped. */
export const Evidence = z.object({
  version: z.literal(1),
  document: z.literal('collect-evidence'),
  profile: z.enum(['quick', 'full']),
  collectedAt: z.iso.datetime(),
  probes,
});
export type Evidence = z.infer<typeof Evidence>;
export type ProbeName = keyof Evidence['probes'];
