import * as z from 'zod';
import { count, kb, name } from './number.ts';

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
   * `null` where it was not read: always in the quick profile on cgroup v2, where the dying are counted.
   */
  ghostKb: kb.nullable(),
  /** Page cache of the whole subtree, in KiB. */
  cachedKb: kb.nullable(),
});
export type Slice = z.infer<typeof Slice>;

export const Slices = z.object({
  entries: z.array(Slice).max(100),
  /** Slices left out because the list is bounded. */
  omitted: count,
  /** Slices whose ghost bytes were not read, because they have too many children. */
  unread: count,
});

export const Cgroups = z.object({
  live: count,
  dying: count,
  source: z.enum(['cgroup.stat', 'proc-cgroups']),
});

/**
 * Directories that exist with no process in them or below them: somebody failed to remove them. What is empty by nature
 * (slices, mounts, services that are done) does not count.
 */
export const Unpopulated = z.object({
  pod: count,
  scope: count,
  session: count,
  other: count,
  /** So many were looked at a second time, in their own files; the counts beyond that are of the processes alone. */
  checked: count,
  sample: z
    .array(
      z.object({
        kind: z.enum(['pod', 'scope', 'session', 'other']),
        path: name,
        /** At least: the kernel forgets and re-makes its inodes, and their times with them. */
        ageSeconds: count,
      }),
    )
    .max(20),
});
