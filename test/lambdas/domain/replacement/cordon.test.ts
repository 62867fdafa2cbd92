import { describe, expect, it } from 'vitest';
import {
  cordonAnnotation,
  cordonOf,
  toCordon,
  toUncordon,
} from '../../../../lambdas/domain/replacement/cordon.ts';
import { aNode, incident } from './objects.ts';

const node = (holder: string | undefined, unschedulable: boolean) =>
  aNode({
    metadata: {
      annotations: holder === undefined ? { other: 'x' } : { other: 'x', [cordonAnnotation]: holder },
    },
    spec: { unschedulable },
  });

const cases = {
  none: node(undefined, false),
  ours: node(incident, true),
  lifted: node(incident, false),
  another: node('another-incident', true),
  foreign: node(undefined, true),
};

describe('the cordon of a node', () => {
  it.each(Object.entries(cases))('is %s', (expected, one) => {
    expect(cordonOf(one, incident)).toBe(expected);
  });

  it('of another incident stays that, also where the node was uncordoned since', () => {
    expect(cordonOf(node('another-incident', false), incident)).toBe('another');
  });
});

describe('to cordon a node', () => {
  it('takes a patch for this very version of it, with the name of the incident', () => {
    expect(toCordon(cases.none, incident)).toEqual({
      patch: {
        metadata: { uid: 'node-uid', resourceVersion: '4711', annotations: { [cordonAnnotation]: incident } },
        spec: { unschedulable: true },
      },
    });
  });

  it.each([
    ['ours', 'already'],
    ['lifted', 'not-ours'],
    ['another', 'not-ours'],
    ['foreign', 'not-ours'],
  ] as const)('takes nothing where it is %s', (name, nothing) => {
    expect(toCordon(cases[name], incident)).toMatchObject({ nothing });
  });
});

describe('to uncordon a node', () => {
  it.each(['ours', 'lifted'] as const)('takes a patch where it is %s, and the name goes as well', (name) => {
    expect(toUncordon(cases[name], incident)).toEqual({
      patch: {
        metadata: { uid: 'node-uid', resourceVersion: '4711', annotations: { [cordonAnnotation]: null } },
        spec: { unschedulable: false },
      },
    });
  });

  it.each([
    ['none', 'already'],
    ['another', 'not-ours'],
    ['foreign', 'not-ours'],
  ] as const)('takes nothing where it is %s', (name, nothing) => {
    expect(toUncordon(cases[name], incident)).toMatchObject({ nothing });
  });
});
