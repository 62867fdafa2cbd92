import * as z from 'zod';

/** Whole seconds between two bounds. */
export const seconds = (low: number, high: number) => z.int().min(low).max(high);
