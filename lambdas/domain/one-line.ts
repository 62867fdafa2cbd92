import * as z from 'zod';
import { printable } from './printable.ts';

/** One line of text that people are shown as it is. */
export function oneLine(most: number) {
  return z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(most, `must be at most ${most} characters`)
    .refine((text) => printable(text) === text && !text.includes('\n'), 'must be one line of text');
}
