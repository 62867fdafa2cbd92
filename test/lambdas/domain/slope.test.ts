import { describe, expect, it } from 'vitest';
import { slopePerHour } from '../../../lambdas/domain/slope.ts';

const hour = 3_600_000;
const line = (...values: number[]) => values.map((value, index) => ({ at: index * hour, value }));

describe('slopePerHour', () => {
  it.each([
    [[0, 5, 10, 15], 5],
    [[15, 10, 5, 0], -5],
    [[7, 7, 7], 0],
    // Slopes 1, 1.5 and 2; then 1, 1.5, 2, 2, 2.5 and 3.
    [[0, 1, 3], 1.5],
    [[0, 1, 3, 6], 2],
  ])('of %j is %d', (values, slope) => {
    expect(slopePerHour(line(...values))).toBe(slope);
  });

  it('is not bent by one odd point, and does not mind the order', () => {
    const points = line(0, 1, 2, 900, 4, 5, 6);

    expect(slopePerHour(points)).toBe(1);
    expect(slopePerHour(points.toReversed())).toBe(1);
  });

  it('is unknown without two moments', () => {
    expect(slopePerHour([])).toBeNaN();
    expect(slopePerHour([{ at: 0, value: 1 }])).toBeNaN();
    expect(
      slopePerHour([
        { at: 0, value: 1 },
        { at: 0, value: 9 },
      ]),
    ).toBeNaN();
  });
});
