import { describe, expect, it } from 'vitest';
import { kibOf, quantity } from '../../../../lambdas/domain/around/quantity.ts';

describe('a quantity', () => {
  it.each([
    ['128Mi', 134_217_728],
    ['1500m', 1.5],
    ['2', 2],
    ['0.5', 0.5],
    ['.5', 0.5],
    ['1.', 1],
    ['2e3', 2000],
    ['1E', 1e18],
    ['100k', 100_000],
    ['8167944Ki', 8_363_974_656],
    ['250u', 0.00025],
  ])('%s is %d', (text, value) => {
    expect(quantity(text)).toBeCloseTo(value, 9);
  });

  it.each([undefined, '', 'Mi', '1.5.2', '-1', '12Xi', '1 Gi', 'constructor', '5to', '0x10'])(
    '%s is none',
    (text) => {
      expect(quantity(text)).toBeUndefined();
    },
  );

  it('of bytes is in whole KiB', () => {
    expect(kibOf(1536)).toBe(2);
  });
});
