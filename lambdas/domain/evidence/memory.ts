import * as z from 'zod';
import { count, kb, share } from './number.ts';

export const Memory = z.object({
  totalKb: z.int().positive(),
  availableKb: kb,
  cachedKb: kb,
  slabReclaimableKb: kb,
  slabUnreclaimableKb: kb,
  percpuKb: kb,
  shmemKb: kb,
  dirtyKb: kb,
});

const Stall = z.object({ avg10: share, avg60: share, avg300: share, totalUs: count });
const Stalls = z.object({ some: Stall, full: Stall.nullable() });

export const Pressure = z.object({ memory: Stalls, io: Stalls, cpu: Stalls });
