import { notify } from './notify.ts';
import { reclaim } from './reclaim.ts';
import type { Treatment } from './treatment.ts';

/** Every treatment, gentlest first: the order of this list is the order of every ladder; `notify` comes last. */
export const treatments: readonly Treatment[] = [reclaim, notify];
