import type { Cause } from './cause.ts';
import { dyingMemcgs } from './dying-memcgs.ts';
import { healthy } from './healthy.ts';

/** Every cause that can be found. `inconclusive` is what remains when none of them is. */
export const causes: readonly Cause[] = [dyingMemcgs, healthy];
