/**
 * Confidence of a match from the weights of the findings that speak for it: each finding leaves (1 − weight) of the
 * doubt that was there before it. So it never reaches 1, more evidence never lowers it, and less never raises it.
 */
export function confidenceFrom(weights: number[]): number {
  const doubt = weights.reduce((left, weight) => left * (1 - weight), 1);
  return Math.round((1 - doubt) * 100) / 100;
}
