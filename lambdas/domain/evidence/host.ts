import * as z from 'zod';
import { count } from './number.ts';

export const Host = z.object({
  kernel: z.string().max(200),
  os: z.string().max(200),
  bootId: z.string().max(64),
  uptimeSeconds: count,
  cpus: z.int().positive(),
});

export const Hierarchy = z.object({
  /** Which cgroup version owns the memory controller. */
  memory: z.enum(['v1', 'v2']),
  layout: z.enum(['unified', 'hybrid', 'legacy']),
  mount: z.string().max(1024),
});
