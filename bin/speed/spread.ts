/** How long something takes: log-normal, by its middle and by what 99 of 100 do not exceed; in seconds. */
export type Spread = { p50: number; p99: number };

/** Numbers from 0 up to 1. */
export type Random = () => number;

/** The standard normal distribution has 99 % below this. */
const z99 = 2.326348;

/** The same numbers for the same seed, on every machine: mulberry32, a public-domain generator of 32 bits. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One duration. */
export function sample({ p50, p99 }: Spread, random: Random): number {
  // Box and Muller; 1 − x, for the logarithm of 0 is none.
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return p50 * Math.exp((normal * Math.log(p99 / p50)) / z99);
}

/** The value that a share of these does not exceed: the nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
