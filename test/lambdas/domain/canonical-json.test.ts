import { describe, expect, it } from 'vitest';
import { canonicalJson, digestOf } from '../../../lambdas/domain/canonical-json.ts';

describe('canonicalJson', () => {
  it('has no order of its own and no white space', () => {
    expect(canonicalJson({ b: [{ d: 1, c: null }], a: 'x', 10: 0 })).toBe(
      '{"10":0,"a":"x","b":[{"c":null,"d":1}]}',
    );
  });

  it('leaves out what is undefined, as JSON does', () => {
    expect(digestOf({ a: 1, b: undefined })).toBe(digestOf({ a: 1 }));
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses %d, which JSON would turn into null', (value) => {
    expect(() => canonicalJson({ a: [value] })).toThrow(`cannot write ${value} as JSON`);
  });
});
