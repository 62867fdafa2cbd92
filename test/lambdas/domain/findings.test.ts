import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../lambdas/domain/causes/cause.ts';
import { confidenceOf } from '../../../lambdas/domain/causes/confidence.ts';
import { gather } from '../../../lambdas/domain/causes/gather.ts';
import { clusterWith } from './sample-evidence.ts';

const finding = (weight: number, speaks: Finding['speaks'] = 'for'): Finding => ({
  fact: 'x',
  value: 1,
  speaks,
  source: 'y',
  weight,
});

describe('the confidence', () => {
  it.each([
    [[], 0],
    [[0.5], 0.5],
    [[0.5, 0.5], 0.75],
    [[0.7, 0.4, 0.6], 0.92],
    [[0.95, 0.95], 0.99],
  ])('of findings of the weights %j is %d', (weights, confidence) => {
    expect(confidenceOf(weights.map((weight) => finding(weight)))).toBe(confidence);
    expect(confidenceOf([...weights.map((weight) => finding(weight)), finding(0.9, 'against')])).toBe(
      confidence,
    );
  });
});

describe('a figure that was not seen', () => {
  it('is neither yes nor no, and no finding', () => {
    const { atLeast, atMost, fact, findings } = gather(clusterWith().thresholds);
    const compared = { fact: 'x', threshold: 5, weight: 0.5, source: 'y' };

    expect([atLeast({ ...compared, value: undefined }), atMost({ ...compared, value: null })]).toEqual([
      undefined,
      undefined,
    ]);
    expect(fact({ fact: 'x', value: undefined, speaks: 'for', source: 'y' })).toBeUndefined();
    expect(findings).toEqual([]);
    expect([atLeast({ ...compared, value: 5 }), atLeast({ ...compared, value: 4 })]).toEqual([true, false]);
    expect([atMost({ ...compared, value: 5 }), atMost({ ...compared, value: 6 })]).toEqual([true, false]);
  });
});

describe('the same figure from two places', () => {
  const places = (...values: (number | null)[]) =>
    values.map((value) => ({ fact: 'x', value, threshold: 5, weight: 0.5, source: 'y' }));
  const answer = (...values: (number | null)[]) => {
    const { firstAtLeast, findings } = gather(clusterWith().thresholds);
    return [firstAtLeast(places(...values)), findings.length, confidenceOf(findings)];
  };

  it('makes nobody surer than one of them: the first that speaks for the cause is the last that is read', () => {
    expect(answer(5, 9)).toEqual([true, 1, 0.5]);
    expect(answer(null, 9, 9)).toEqual([true, 1, 0.5]);
  });

  it('is answered by the first that was read, and a lesser place that speaks for the cause is found as well', () => {
    expect(answer(4, 9, 9)).toEqual([false, 2, 0.5]);
    expect(answer(4, null)).toEqual([false, 1, 0]);
    expect(answer(null, null)).toEqual([undefined, 0, 0]);
  });
});
