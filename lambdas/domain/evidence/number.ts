import * as z from 'zod';

export const count = z.int().nonnegative();
export const kb = z.int().nonnegative();
/** A share or an average, never negative. */
export const share = z.number().nonnegative();

/** A part of a probe that was not read, or that an older document did not know. Never a zero. */
export function unknownOr<T extends z.ZodType>(value: T) {
  return value.nullable().default(null);
}
