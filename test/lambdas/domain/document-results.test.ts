import { describe, expect, it } from 'vitest';
import { readDocumentResult } from '../../../lambdas/domain/treatments/document-result.ts';
import { uncordonedBy, undoneBy } from '../../../lambdas/domain/treatments/undo-result.ts';

describe('readDocumentResult', () => {
  const result = { version: 1, document: 'reclaim', changed: true };

  it('reads a result, and fills in what the document left out', () => {
    expect(readDocumentResult(JSON.stringify({ ...result, cpuSeconds: 1 }))).toEqual({
      kind: 'result',
      result: { ...result, before: {}, after: {}, undo: null, cpuSeconds: 1 },
    });
  });

  it('takes an error for a refusal with its reason, but not beside what was changed', () => {
    const error = 'no slice can be reclaimed';

    expect(readDocumentResult(JSON.stringify({ version: 1, document: 'reclaim', error }))).toEqual({
      kind: 'refusal',
      reason: error,
    });
    expect(readDocumentResult(JSON.stringify({ ...result, error }))).toMatchObject({
      kind: 'result',
      result: { changed: true, error },
    });
  });

  it.each([
    undefined,
    '',
    'done',
    'null',
    '{"version":1,"document":"reclaim","changed":true',
    '{"version":2,"document":"reclaim","changed":true}',
    '{"version":1,"document":"reclaim"}',
    '{"version":1,"document":"reclaim","changed":true,"undo":{"document":"x"}}',
  ])('does not take %j for a success', (output) => {
    expect(readDocumentResult(output)).toMatchObject({ kind: 'unreadable' });
  });
});

describe('undoneBy', () => {
  const printed = (change: Record<string, unknown>): string =>
    JSON.stringify({ version: 1, document: 'reclaim-restore', changed: true, remaining: 0, ...change });

  it('is done only when nothing remains', () => {
    expect(undoneBy({ status: 'succeeded', output: printed({}) })).toEqual({
      status: 'done',
      reason: 'what we changed was taken back',
    });
    expect(undoneBy({ status: 'succeeded', output: printed({ changed: false }) })).toEqual({
      status: 'done',
      reason: 'nothing of ours was left to take back',
    });
    expect(undoneBy({ status: 'succeeded', output: printed({ remaining: 1 }) })).toEqual({
      status: 'failed',
      reason: '1 changes could not be taken back',
    });
  });

  it.each([
    ['failed', printed({}), 'the undo ended as failed'],
    ['timed-out', printed({}), 'the undo ended as timed-out'],
    ['succeeded', undefined, 'the undo did not print a JSON result'],
    ['succeeded', '{}', 'the result of the undo does not fit its schema'],
  ])('has failed when its command %s and printed %j', (status, output, reason) => {
    expect(undoneBy({ status, output })).toEqual({ status: 'failed', reason });
  });

  it('gives the reason of the command where it has one', () => {
    expect(undoneBy({ status: 'no-answer', reason: 'Undeliverable' }).reason).toBe('Undeliverable');
  });
});

describe('uncordonedBy', () => {
  it.each([
    ['done', 'done', 'the cordon of the node ip-10-0-1-7 was taken back'],
    ['already', 'nothing', 'the node ip-10-0-1-7 was left as it is: so it is'],
    ['gone', 'nothing', 'the node ip-10-0-1-7 was left as it is: so it is'],
    ['refused', 'nothing', 'the node ip-10-0-1-7 was left as it is: so it is'],
  ] as const)('an uncordon that is %s: %s', (is, status, reason) => {
    expect(uncordonedBy({ is, says: 'so it is' }, 'ip-10-0-1-7')).toEqual({ status, reason });
  });
});
