/**
 * Theil–Sen slope: the median of the slopes between all pairs of points, so that one odd point does not bend it.
 *
 * @param points `at` in milliseconds since the epoch, in any order
 * @returns change of `value` per hour; NaN with fewer than two points at different times
 */
export function slopePerHour(points: { at: number; value: number }[]): number {
  return medianOf(
    points.flatMap((a, index) =>
      points.slice(index + 1).map((b) => ((b.value - a.value) * 3_600_000) / (b.at - a.at)),
    ),
  );
}

/** The value in the middle, whatever is no finite number left out; NaN of nothing. */
export function medianOf(values: readonly number[]): number {
  // A typed array is sorted as numbers, and many times faster.
  const sorted = Float64Array.from(values.filter(Number.isFinite)).sort();
  const middle = sorted.length / 2;
  if (sorted.length === 0) return Number.NaN;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
