import { describe, expect, it } from 'vitest';
import { checkTemplate, measureTemplate, TemplateTooLargeError } from '../../cdk/template-limits.ts';

it('measures a template in bytes, as it is uploaded, and in resources', () => {
  expect(measureTemplate('{"Resources":{"A":{},"B":{"é":1}}}')).toEqual({ bytes: 35, resources: 2 });
});

describe('a template', () => {
  it('passes up to 900 KB and 450 resources', () => {
    expect(() => checkTemplate('S', { bytes: 900_000, resources: 450 })).not.toThrow();
  });

  it.each([
    [
      { bytes: 900_001, resources: 1 },
      'the template of S has 901 KB, of at most 900 here and 1,048 in CloudFormation.',
    ],
    [
      { bytes: 1, resources: 451 },
      'the template of S has 451 resources, of at most 450 here and 500 in CloudFormation.',
    ],
    [
      { bytes: 1_200_000, resources: 600 },
      'has 1,200 KB, of at most 900 here and 1,048 in CloudFormation; and 600 resources,',
    ],
  ])('of %o is refused with what it has too much of, and what to do', (measure, message) => {
    expect(() => checkTemplate('S', measure)).toThrow(TemplateTooLargeError);
    expect(() => checkTemplate('S', measure)).toThrow(message);
    expect(() => checkTemplate('S', measure)).toThrow('deploy this app twice');
  });
});
