import * as z from 'zod';
import { count, kb, NotRead, name, unknownOr } from './number.ts';

/** What the container runtime says through crictl. */
export const Containers = z.object({
  running: unknownOr(count),
  exited: unknownOr(count),
  oldestExitedSeconds: unknownOr(count),
  /** Neither running nor exited: created, unknown. */
  other: unknownOr(count),
  sandboxesReady: unknownOr(count),
  sandboxesNotReady: unknownOr(count),
  oldestNotReadySeconds: unknownOr(count),
  runtime: unknownOr(name),
  runtimeVersion: unknownOr(name),
  cgroupDriver: unknownOr(z.enum(['systemd', 'cgroupfs'])),
  runc: unknownOr(name),
  notRead: NotRead,
});

/** Pods by working set: what they use less the page cache that is inactive. */
export const Workloads = z.object({
  pods: count,
  unread: count.default(0),
  top: z
    .array(z.object({ pod: unknownOr(name), uid: unknownOr(name), workingSetKb: kb, limitKb: unknownOr(kb) }))
    .max(20),
});
