import { describe, expect, it } from 'vitest';
import {
  type HttpRequest,
  judge,
  largestRequest,
} from '../../../../lambdas/domain/intake/webhook-request.ts';

const request: HttpRequest = {
  method: 'POST',
  headers: { authorization: 'Bearer abc', 'content-type': 'application/json' },
  body: '{"version":"4"}',
  isBase64Encoded: false,
};
const json = (bytes: number) => `"${'x'.repeat(bytes - 2)}"`;

describe('a request to the webhook', () => {
  it('is its token and what is in it, however that is coded', () => {
    const payload = { version: '4' };
    expect(judge(request)).toEqual({ token: 'abc', payload });
    const body = Buffer.from(request.body).toString('base64');
    expect(judge({ ...request, body, isBase64Encoded: true })).toEqual({ token: 'abc', payload });
    expect(
      judge({
        ...request,
        headers: { ...request.headers, 'content-type': 'Application/JSON; charset=utf-8' },
      }),
    ).toEqual({ token: 'abc', payload });
  });

  it.each(['abc', 'Basic abc', 'Bearer', 'Bearer ', 'Bearer a b', 'Bearer ä', '', undefined])(
    'has no token in "%s"',
    (authorization) => {
      expect(judge({ ...request, headers: { ...request.headers, authorization } }).token).toBeUndefined();
    },
  );

  it('hashes no token of any length', () => {
    const token = judge({
      ...request,
      headers: { ...request.headers, authorization: `Bearer ${'x'.repeat(100_000)}` },
    }).token;
    expect(token?.length).toBeLessThanOrEqual(512);
  });

  it.each([
    [405, 'method', { method: 'GET' }],
    [415, 'content-type', { headers: { authorization: 'Bearer abc' } }],
    [415, 'content-type', { headers: { authorization: 'Bearer abc', 'content-type': 'text/plain' } }],
    [413, 'oversized', { body: json(largestRequest + 1) }],
    [
      413,
      'oversized',
      { body: Buffer.from(json(largestRequest + 1)).toString('base64'), isBase64Encoded: true },
    ],
    [400, 'malformed', { body: '{' }],
    [400, 'malformed', { body: '' }],
  ] as const)('is refused with %i for its %s', (status, reason, change) => {
    expect(judge({ ...request, ...change })).toMatchObject({
      token: 'abc',
      refused: [status, reason, expect.any(String)],
    });
  });

  it('may be as large as said', () => {
    expect(judge({ ...request, body: json(largestRequest) })).toHaveProperty('payload');
  });
});
