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
