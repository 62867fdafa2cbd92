import type { Finding } from './cause.ts';

/**
 * How sure a match is: each finding that speaks for it leaves (1 − weight) of the doubt that was there before it. So it
 * never reaches 1, more evidence never lowers it, and less never raises it.
 */
export function confidenceOf(findings: readonly Finding[]): number {
  const doubt = findings
    .filter(({ speaks }) => speaks === 'for')
    .reduce((left, { weight = 0 }) => left * (1 - weight), 1);
  // Rounded down: hundredths are shown, and none of them is to be more than was earned.
  return Math.floor((1 - doubt) * 100 + 1e-9) / 100;
}
