/**
 * Theil–Sen slope: the median of the slopes between all pairs of points, so that one odd point does not bend it.
 *
 * @param points `at` in milliseconds since the epoch, in any order
 * @returns change of `value` per hour; NaN with fewer than two points at different times
 */
export function slopePerHour(points: { at: number; value: number }[]): number {
  const slopes = points
    .flatMap((a, index) =>
      points.slice(index + 1).map((b) => ((b.value - a.value) * 3_600_000) / (b.at - a.at)),
    )
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const middle = slopes.length / 2;
  if (slopes.length === 0) return Number.NaN;
  const upper = slopes[Math.floor(middle)] ?? Number.NaN;
  return slopes.length % 2 === 1 ? upper : ((slopes[middle - 1] ?? Number.NaN) + upper) / 2;
}
