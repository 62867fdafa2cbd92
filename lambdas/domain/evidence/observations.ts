import * as z from 'zod';
import { count, kb, name, share, unknownOr } from './number.ts';

/** Things that people try by hand, and that tell causes apart by whether they helped. */
export const Tried = z.enum([
  'restart-kubelet',
  'drop-caches',
  'reclaim',
  'stop-scopes',
  'restart-logind',
  'reboot',
  'remove-cpu-limit',
  'remove-memory-limit',
  'reserve-memory',
  'disable-agent',
  'restart-agent',
  'restart-workload',
  'prune-containers',
  'upgrade-kernel',
  'remove-cadvisor',
  'kmem-accounting-off',
]);
export type Tried = z.infer<typeof Tried>;

/** What stays each time after a login, a pod, a container or a run of a service is over. */
export const Leftover = z.object({
  after: z.enum(['login', 'pod', 'container', 'service']),
  /** A directory without a process, a dying cgroup, kernel memory, or a session that logind does not let go of. */
  what: z.enum(['directory', 'dying-cgroup', 'kernel-memory', 'session']),
});
export type Leftover = z.infer<typeof Leftover>;

/**
 * What somebody has found out by hand and gives along; no document collects it. People write it into the evidence, and
 * reports of incidents are read into it.
 */
export const Observations = z.object({
  /** Types or functions that hold the most in a heap profile of the kubelet, most first. */
  kubeletHeap: z.array(name).max(10).default([]),
  /** Functions of the kernel in which the CPUs are, or its threads, most first. */
  kernelHotspots: z
    .array(z.object({ symbol: name, percent: share.nullable().default(null) }))
    .max(10)
    .default([]),
  /** Files of the cgroup tree, or of /proc, that take long to read. */
  slowFiles: z.array(name).max(10).default([]),
  tried: z
    .array(z.object({ what: Tried, helped: z.boolean(), forSeconds: count.nullable().default(null) }))
    .max(20)
    .default([]),
  /**
   * `num_cgroups` of /proc/cgroups, by controller. On cgroup v1 memory far above the others is memory's own leak; how
   * many of them are dying, only a count of the directories tells.
   */
  controllers: z.record(name, count).default({}),
  /** The controller whose cgroups pile up, where somebody has found out which. */
  leakingController: unknownOr(name),
  /** One of the counts that the probe `cgroups` has together: memory cgroup directories, and dying memory cgroups. */
  cgroups: z.object({ live: unknownOr(count), dying: unknownOr(count) }).prefault({}),
  /** Figures of /proc/meminfo that were written down, where the whole of it was not kept. */
  memory: z
    .object({
      totalKb: unknownOr(kb),
      availableKb: unknownOr(kb),
      slabUnreclaimableKb: unknownOr(kb),
      percpuKb: unknownOr(kb),
    })
    .prefault({}),
  leftovers: z.array(Leftover).max(10).default([]),
});
export type Observations = z.infer<typeof Observations>;
