import * as z from 'zod';
import { count, kb, unknownOr } from './number.ts';

/** Whether the kernel charges its own memory to cgroups, and how much of it is charged. */
export const Kmem = z.object({ accounting: z.enum(['on', 'off']), usageKb: kb.nullable() });

/** Up to 20 memory cgroups made and removed again; `errno` is why the first that failed could not be made. */
export const MkdirProbe = z.object({
  made: unknownOr(count),
  errno: z.enum(['ENOSPC', 'ENOMEM', 'EACCES', 'EROFS', 'other']).nullable(),
});
