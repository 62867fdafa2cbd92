import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isFromSlack } from '../../lambdas/domain/slack/signature.ts';
import { runs } from './runs.ts';

const secret = '8f742231b10e8888abcd99yyyzzz85a5';
const now = 1_763_700_000;
const body = Buffer.from('payload=%7B%22type%22%3A%22block_actions%22%7D');
const signed = {
  timestamp: String(now),
  signature: `v0=${createHmac('sha256', secret).update(`v0:${now}:`).update(body).digest('hex')}`,
  body,
};

it('a request is none of Slack’s when anything of it is forged or changed', () => {
  const forged = fc.record({
    timestamp: fc.oneof(
      fc.integer({ min: now - 400, max: now + 400 }).map(String),
      fc.string({ maxLength: 20 }),
    ),
    signature: fc.oneof(
      fc
        .string({ minLength: 64, maxLength: 64, unit: fc.constantFrom(...'0123456789abcdef') })
        .map((hex) => `v0=${hex}`),
      fc.string({ maxLength: 80 }),
    ),
    body: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  });
  const flipped = fc.record({
    at: fc.nat({ max: 10_000 }),
    bit: fc.nat({ max: 7 }),
    where: fc.constantFrom('body', 'signature', 'timestamp'),
  });
  const mutated = flipped.map(({ at, bit, where }) => {
    const good = signed;
    const bytes = Buffer.from(
      where === 'body' ? good.body : Buffer.from(good[where as 'signature' | 'timestamp']),
    );
    const index = at % bytes.length;
    bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
    return { ...good, [where]: where === 'body' ? bytes : bytes.toString('latin1') };
  });
  fc.assert(
    fc.property(fc.oneof(forged, mutated), (request) => {
      expect(isFromSlack(request, secret, now)).toBe(false);
    }),
    runs(6000),
  );
});
