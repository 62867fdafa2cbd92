import * as z from 'zod';
import { count, unknownOr } from './number.ts';

export const Host = z.object({
  kernel: unknownOr(z.string().max(200)),
  os: unknownOr(z.string().max(200)),
  bootId: unknownOr(z.string().max(64)),
  uptimeSeconds: unknownOr(count),
  cpus: unknownOr(z.int().positive()),
  systemdVersion: unknownOr(count),
  /** Of the EC2 instance, as its firmware or cloud-init knows it. */
  instanceId: unknownOr(
    z
      .string()
      .regex(/^i-[0-9a-f]+$/)
      .max(32),
  ),
});

export const Hierarchy = z.object({
  /** Which cgroup version owns the memory controller. */
  memory: z.enum(['v1', 'v2']),
  layout: unknownOr(z.enum(['unified', 'hybrid', 'legacy'])),
  mount: unknownOr(z.string().max(1024)),
});
