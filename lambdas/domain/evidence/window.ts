import * as z from 'zod';
import { count } from './number.ts';

export const Reclaim = z.object({
  windowMs: z.int().positive(),
  pgscanDirect: count,
  pgscanKswapd: count,
  pgstealDirect: count,
  pgstealKswapd: count,
  allocstall: count,
  pgmajfault: count,
});
