import * as z from 'zod';
import { count, name, share } from './number.ts';

/** Things that people try by hand, and that tell causes apart by whether they helped. */
export const Tried = z.enum([
  'restart-kubelet',
  'drop-caches',
  'reclaim',
  'stop-scopes',
  'restart-logind',
  'reboot',
  'remove-cpu-limit',
  'disable-agent',
  'upgrade-kernel',
  'remove-cadvisor',
]);

/**
 * What somebody has found out by hand and gives along; no document collects it. People write it into the evidence, and
 * reports of incidents are read into it.
 */
export const Observations = z.object({
  /** Types or functions that hold the most in a heap profile of the kubelet, most first. */
  kubeletHeap: z.array(name).max(10).default([]),
  /** Functions of the kernel in which the CPUs are, most first. */
  kernelHotspots: z
    .array(z.object({ symbol: name, percent: share.nullable().default(null) }))
    .max(10)
    .default([]),
  tried: z
    .array(z.object({ what: Tried, helped: z.boolean(), forSeconds: count.nullable().default(null) }))
    .max(20)
    .default([]),
});
export type Observations = z.infer<typeof Observations>;
