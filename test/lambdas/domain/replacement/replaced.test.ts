import { describe, expect, it } from 'vitest';
import { actSentence } from '../../../../lambdas/domain/replacement/act-sentence.ts';
import { afterAct, type Happened, startReplacement } from '../../../../lambdas/domain/replacement/course.ts';
import type { CourseEnd, ReplacementState } from '../../../../lambdas/domain/replacement/course-state.ts';
import { startDrain } from '../../../../lambdas/domain/replacement/drain.ts';
import {
  endedClean,
  keepsCordon,
  treatedBy,
  verifiedBy,
} from '../../../../lambdas/domain/replacement/replaced.ts';
import { Replacement } from '../../../../lambdas/domain/settings/replacement.ts';
import { instanceId } from './objects.ts';

const now = new Date('2026-11-28T06:30:00Z');
const drain = { ...startDrain({ cordonedByUs: true, drainMinutes: 15 }, now), evicted: 3 };
const report = {
  why: 'at the deadline 1 pod of the node had not gone',
  budgets: ['shop/cart'],
  pods: [{ pod: 'shop/cart-1', why: 'refused 9 times: no more' }],
  morePods: 0,
  evicted: 2,
};
const ended = (end: CourseEnd, change: Partial<ReplacementState> = {}): ReplacementState => ({
  ...startReplacement(instanceId),
  at: 'over',
  node: 'old',
  owner: { kind: 'auto-scaling-group', group: 'web' },
  cordon: 'ours',
  drain,
  end,
  ...change,
});
const end = (is: CourseEnd['is'], change: Partial<CourseEnd> = {}): CourseEnd => ({
  is,
  says: `it is ${is}`,
  cordonLeft: false,
  ...change,
});

describe('what a replacement has come to', () => {
  it.each([
    ['replaced', 'done'],
    ['refused', 'refused'],
    ['not-drained', 'refused'],
    ['gone', 'refused'],
    ['failed', 'failed'],
  ] as const)('%s is a treatment that is %s', (is, status) => {
    expect(treatedBy(ended(end(is)))).toMatchObject({ status, reason: `it is ${is}` });
    expect(endedClean(ended(end(is)))).toBe(true);
  });

  it('has failed, and is not clean, wherever a cordon of ours may stand', () => {
    for (const is of ['refused', 'not-drained', 'gone', 'failed'] as const) {
      const left = ended(end(is, { cordonLeft: true }));
      expect(treatedBy(left)).toMatchObject({
        status: 'failed',
        reason: `it is ${is}; its cordon could not be taken back`,
      });
      expect(endedClean(left)).toBe(false);
    }
  });

  it('keeps its cordon, and says nothing of an uncordon that failed, where the node was handed over', () => {
    const left = end('failed', { cordonLeft: true });
    const kept = ended(left, { handedOverAt: now.toISOString() });
    expect(keepsCordon(kept)).toBe(true);
    expect(treatedBy(kept)).toMatchObject({ status: 'failed', reason: 'it is failed' });
    expect(endedClean(kept)).toBe(false);
    expect(keepsCordon(ended(left))).toBe(false);
    expect(keepsCordon(ended(end('failed'), { handedOverAt: now.toISOString() }))).toBe(false);
  });

  it('has failed where it did not come to its end', () => {
    for (const state of [undefined, startReplacement(instanceId)])
      expect(treatedBy(state).status).toBe('failed');
  });

  it('names the budgets and the pods that held the node', () => {
    const { reason, result } = treatedBy(ended(end('not-drained', { report })));
    expect(reason).toContain('shop/cart');
    expect(reason).toContain('shop/cart-1: refused 9 times');
    expect(result).toMatchObject({ changed: true, after: { node: 'old' }, details: { report } });
  });

  it('changed nothing where it never cordoned', () => {
    expect(treatedBy(ended(end('refused'), { cordon: 'no' })).result?.changed).toBe(false);
  });

  it('is verified by what was seen, and only where the node was replaced', () => {
    const verified = verifiedBy(ended(end('replaced', { newNode: 'new' })), now);
    expect(verified).toMatchObject({ verdict: 'cured', provisional: false, samples: [] });
    expect(verified?.findings.map(({ value }) => value)).toEqual([
      'old has gone',
      'new is Ready and runs pods',
    ]);
    for (const is of ['refused', 'not-drained', 'gone', 'failed'] as const) {
      expect(verifiedBy(ended(end(is)), now)).toBeUndefined();
    }
  });
});

describe('what the audit says of an act', () => {
  const before = startReplacement(instanceId);
  const told = (happened: Happened, change: Partial<ReplacementState> = {}): string | undefined => {
    const from = { ...before, node: 'old', ...change };
    return actSentence(from, happened, afterAct(from, happened, { settings: Replacement.parse({}), now }));
  };
  const owner = { kind: 'managed-node-group', nodeGroup: 'web', group: 'eks-web' } as const;
  const pod = { namespace: 'shop', name: 'cart-1', uid: 'u' };

  it.each<[string, Happened, Partial<ReplacementState>, string | undefined]>([
    [
      'whose node it is',
      { of: 'examine', node: { name: 'old', owner, cordon: 'none' } },
      {},
      `${instanceId} is the node old, of the managed node group web`,
    ],
    ['that there is none', { of: 'examine', node: null }, {}, `no node of the cluster is ${instanceId}`],
    [
      'a cordon',
      { of: 'cordon', changed: { is: 'done', says: 'x' } },
      { at: 'cordon' },
      'the node old is cordoned',
    ],
    [
      'no cordon',
      { of: 'cordon', changed: { is: 'refused', says: 'no' } },
      { at: 'cordon' },
      'the node old was not cordoned: no',
    ],
    [
      'evictions',
      { of: 'evict', answers: [{ pod, answer: { is: 'refused', budgets: [], says: 'the budget' } }] },
      { at: 'evict' },
      'shop/cart-1: the budget',
    ],
    [
      'nothing of a look that only waits',
      { of: 'drain', state: drain, next: { do: 'wait', seconds: 5, why: 'x' } },
      { at: 'drain', drain },
      undefined,
    ],
    [
      'why a drain was given up',
      { of: 'drain', state: drain, next: { do: 'end', end: { is: 'gave-up', uncordon: true, report } } },
      { at: 'drain', drain },
      `the drain of the node old was given up: ${report.why}`,
    ],
    [
      'whom it was handed to',
      { of: 'hand-over', changed: { is: 'done', says: 'the group ends it' } },
      { at: 'hand-over', owner },
      'the managed node group web was asked for another node: the group ends it',
    ],
    [
      'a failure',
      { of: 'failure', says: 'no answer' },
      { at: 'cordon' },
      'what became of it is not known (cordon): no answer',
    ],
  ])('%s', (_, happened, change, sentence) => {
    expect(told(happened, change)).toBe(sentence);
  });
});
