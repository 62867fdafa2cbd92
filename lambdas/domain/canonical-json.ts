import { createHash } from 'node:crypto';

/**
 * JSON with the keys of every object sorted and no white space, so that equal values have equal text.
 * Fields that are `undefined` are left out, as in `JSON.stringify`.
 *
 * @throws TypeError for a number that JSON cannot carry (NaN, Infinity): a digest over `null` would hide it.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(value));
}

/** SHA-256 over the canonical JSON of a value, in lower-case hex. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

function sorted(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new TypeError(`cannot write ${value} as JSON`);
  }
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
