import * as z from 'zod';

export const count = z.int().nonnegative();
export const kb = z.int().nonnegative();
/** A share or an average, never negative. */
export const share = z.number().nonnegative();

/** A name the node gave: bounded, and never to be trusted. */
export const name = z.string().max(400);

/** Parts of a probe that were not read, with the reason: `null` in its value, and a gap each. */
export const NotRead = z.record(z.string().max(40), z.string().min(1).max(500)).default({});

/** A part of a probe that was not read, or that an older document did not know. Never a zero. */
export function unknownOr<T extends z.ZodType>(value: T) {
  return value.nullable().default(null);
}
