import { expect, it } from 'vitest';
import { rowOf } from '../../bench/bundles.ts';

const of = (name: 'open' | 'ask-cluster', bytes: number, initMs: number) =>
  rowOf({ name, bytes, naiveBytes: 4_000_000, initMs, naiveInitMs: 200 });

it('holds a function to its size, and to a share of the init of the naive bundle', () => {
  expect(of('open', 600_000, 120)).toEqual({
    what: 'open',
    figures: ['600', '4,000', '0.15', '120', '200', '0.60'],
    bar: { text: '≤ 600 KB, init ≤ 0.6 of the naive one', met: true },
  });
  expect(of('open', 600_001, 120).bar?.met).toBe(false);
  expect(of('open', 600_000, 121).bar?.met).toBe(false);
});

it('lets what speaks with a cluster be larger', () => {
  expect(of('ask-cluster', 2_500_000, 120).bar?.met).toBe(true);
  expect(of('ask-cluster', 2_500_001, 120).bar?.met).toBe(false);
});
