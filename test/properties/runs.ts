/** How many times as many cases as in `npm test`: set by the long tests, or by hand. */
const times = Number(process.env.PROPERTY_TIMES ?? 1);
if (!(times >= 1)) throw new Error(`PROPERTY_TIMES is "${process.env.PROPERTY_TIMES}", and no number from 1`);

/** How many cases a property is held to. */
export function runs(numRuns: number): { numRuns: number } {
  return { numRuns: Math.round(numRuns * times) };
}
