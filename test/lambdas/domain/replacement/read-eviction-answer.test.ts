import { describe, expect, it } from 'vitest';
import { readEvictionAnswer } from '../../../../lambdas/domain/replacement/read-eviction-answer.ts';

const failure = (code: number, message: string, details: object = {}) =>
  JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    code,
    details,
  });
const severalBudgets =
  'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
const overBudget = "Cannot evict pod as it would violate the pod's disruption budget.";
const cause = {
  reason: 'DisruptionBudget',
  message: 'The disruption budget web needs 3 healthy pods and has 3 currently',
};

describe('the answer to an eviction', () => {
  it.each([201, 200])('%i means that the pod goes', (code) => {
    expect(readEvictionAnswer(code, JSON.stringify({ kind: 'Status', status: 'Success', code }))).toEqual({
      is: 'going',
    });
  });

  it.each([404, 409])('%i means that this pod is no longer there', (code) => {
    expect(readEvictionAnswer(code, failure(code, 'pods "web-1" not found')).is).toBe('gone');
  });

  it('429 of a budget names the budget, and when to come back', () => {
    expect(
      readEvictionAnswer(429, failure(429, overBudget, { causes: [cause], retryAfterSeconds: 10 })),
    ).toEqual({
      is: 'refused',
      budgets: ['web'],
      says: 'The disruption budget web needs 3 healthy pods and has 3 currently',
      retrySeconds: 10,
    });
  });

  it('429 of a budget whose words are others is a refusal all the same', () => {
    const body = failure(429, overBudget, {
      causes: [{ reason: 'DisruptionBudget', message: 'no more today' }],
    });
    expect(readEvictionAnswer(429, body)).toEqual({ is: 'refused', budgets: [], says: 'no more today' });
  });

  it.each([
    ['429 of a busy API server', 429, 'Too many requests, please try again later.'],
    ['503', 503, failure(503, 'apiserver is shutting down')],
    ['504', 504, failure(504, "couldn't update PodDisruptionBudget due to conflicts")],
    [
      '403 of a namespace that is being deleted',
      403,
      failure(403, 'because it is being terminated', {
        causes: [{ reason: 'NamespaceTerminating', message: 'x' }],
      }),
    ],
  ])('%s may be another a moment later', (_, code, body) => {
    expect(readEvictionAnswer(code, body).is).toBe('busy');
  });

  it.each([
    [
      '500 of several budgets',
      500,
      failure(500, `Internal error occurred: ${severalBudgets}`),
      'more than one PodDisruptionBudget selects it',
    ],
    [
      'the same with the HTTP status of a success',
      201,
      failure(500, severalBudgets),
      'more than one PodDisruptionBudget selects it',
    ],
    ['another 500', 500, failure(500, 'failed calling webhook'), 'with 500: failed calling webhook'],
    ['401', 401, failure(401, 'Unauthorized'), 'does not know the role'],
    [
      '403',
      403,
      failure(403, 'pods "web-1" is forbidden'),
      'refuses the eviction (403): pods "web-1" is forbidden',
    ],
    ['400', 400, 'nonsense', 'with 400: nonsense'],
    ['302', 302, '', 'with 302'],
    [
      'a failure without a code',
      201,
      JSON.stringify({ kind: 'Status', status: 'Failure', message: 'no' }),
      'with 500: no',
    ],
    ['a failure that calls itself a success', 201, failure(201, 'no'), 'with 500: no'],
  ])('%s stops the drain', (_, code, body, says) => {
    const answer = readEvictionAnswer(code, body);
    expect(answer).toMatchObject({ is: 'stop', says: expect.stringContaining(says) });
  });

  it('has no word in it by which a terminal could be told something', () => {
    const odd = '\u001b[2J';
    const body = failure(429, odd, {
      causes: [{ reason: 'DisruptionBudget', message: `The disruption budget ${odd} needs` }],
    });
    for (const answer of [
      readEvictionAnswer(429, body),
      readEvictionAnswer(500, failure(500, odd)),
      readEvictionAnswer(400, odd),
    ])
      expect(JSON.stringify(answer)).not.toContain('\\u001b');
  });
});
