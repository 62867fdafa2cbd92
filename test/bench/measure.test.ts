import { describe, expect, it } from 'vitest';
import { median, quantile } from '../../bench/measure.ts';

const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

describe('quantile', () => {
  it.each([
    [0.5, 50],
    [0.99, 99],
    [1, 100],
    [0, 1],
  ])('%d of 1 to 100, in any order, is %d', (share, value) => {
    expect(quantile(hundred, share)).toBe(value);
  });

  it('leaves out the highest of a hundred and one at p99, and not of fifty', () => {
    expect(quantile([...hundred, 1000], 0.99)).toBe(100);
    expect(quantile([...hundred.slice(0, 49), 1000], 0.99)).toBe(1000);
  });

  it('of nothing is not a number, and changes no list', () => {
    const values = [3, 1, 2];

    expect(quantile([], 0.99)).toBeNaN();
    expect(quantile(values, 0.5)).toBe(2);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('median', () => {
  it('is the middle one', () => {
    expect(median([10, 1, 2, 30, 20])).toBe(10);
    expect(median([])).toBeNaN();
  });
});
