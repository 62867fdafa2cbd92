import { describe, expect, it } from 'vitest';
import { isOlder, isWithin } from '../../../lambdas/domain/version.ts';

describe('isOlder', () => {
  it.each([
    ['v1.33.4-eksbuild.2', '1.35', true],
    ['v1.34.12-eks-abcdef0', '1.35', true],
    ['v1.35.0-eks-abcdef0', '1.35', false],
    ['v1.35.1', '1.35', false],
    ['1.9.0', '1.10.0', true],
    ['1.10.0', '1.9.0', false],
    ['1.1.5', '1.1.6', true],
    ['1.1.6', '1.1.6', false],
    ['1.1.12-0ubuntu1~22.04.1', '1.1.6', false],
    ['1.1.5+ds1-1+b1', '1.1.6', true],
    ['3.10.0-1160.el7.x86_64', '4.7', true],
    ['4.7.0', '4.7', false],
    ['4.6.99', '4.7', true],
    ['5.15.0-1028-aws', '5.13', false],
    ['6.1.119-129.201.amzn2023.x86_64', '4.7', false],
    ['6', '6.0.0', false],
    ['5', '6.0.0', true],
  ])('%s against %s: %s', (version, than, expected) => {
    expect(isOlder(version, than)).toBe(expected);
  });

  it.each([
    ['1.35.0-alpha.2', '1.35', true],
    ['1.35.0-rc.1', '1.35', true],
    ['1.2.0~rc.3', '1.2.0', true],
    ['6.1rc4', '6.1', true],
    ['1.35.0-alpha.2', '1.34.9', false],
    ['1.35.0', '1.35.0-rc.1', false],
    ['1.35.0-beta.0', '1.35.0-rc.1', false],
    ['1.33.4-eksbuild.2', '1.33.4', false],
  ])('a version before its release, %s against %s: %s', (version, than, expected) => {
    expect(isOlder(version, than)).toBe(expected);
  });

  it.each([null, undefined, '', 'unknown', 'el7', '-1.2', '.5', '12345678901234.1'])(
    'says nothing of %j',
    (version) => {
      expect(isOlder(version, '1.35')).toBeUndefined();
    },
  );

  it('says nothing against what is no version', () => {
    expect(isOlder('1.35', 'latest')).toBeUndefined();
  });
});

describe('isWithin', () => {
  it.each([
    ['v1.35.9', false],
    ['v1.36.0-eks-1', true],
    ['v1.36.2', true],
    ['v1.36.3', false],
    ['v1.37.0', false],
    [null, undefined],
  ])('%s from 1.36 until 1.36.3: %s', (version, expected) => {
    expect(isWithin(version, '1.36', '1.36.3')).toBe(expected);
  });
});
