import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { payload } from '../intake-payloads/payloads.ts';
import { useTestIntake } from './use-test-intake.ts';

// Whole functions, with other test files on the same cores.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const intake = useTestIntake();
const { alarms, counting, post, token } = intake;

describe('the webhook', () => {
  const cases: [what: string, status: number, reason: string, ask: () => Promise<Response>][] = [
    [
      'without a token',
      401,
      'unauthorized',
      () => post(payload('alertmanager'), { headers: { authorization: '' } }),
    ],
    [
      'with another token',
      401,
      'unauthorized',
      () => post(payload('alertmanager'), { headers: { authorization: `Bearer ${'0'.repeat(48)}` } }),
    ],
    [
      'with a part of the token',
      401,
      'unauthorized',
      () => {
        return post(payload('alertmanager'), {
          headers: { authorization: `Bearer ${token().slice(0, -1)}` },
        });
      },
    ],
    ['as GET', 405, 'method', () => post('', { method: 'GET' })],
    [
      'that is a form',
      415,
      'content-type',
      () => post('a=b', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    ],
    [
      'that is too large',
      413,
      'oversized',
      () => post({ ...payload('alertmanager'), pad: 'x'.repeat(205_000) }),
    ],
    ['that is no JSON', 400, 'malformed', () => post('{"version": "4"')],
    ['of another version', 400, 'malformed', () => post({ ...payload('alertmanager'), version: '3' })],
    ['without alerts', 400, 'malformed', () => post({ version: '4' })],
  ];
  it.each(cases)(
    'refuses a request %s with %i, counts it as %s, and sends nothing on',
    async (_, status, reason, ask) => {
      let answer: Response | undefined;
      const counts = await counting(async () => {
        answer = await ask();
      });

      expect(answer?.status).toBe(status);
      expect(counts).toEqual({ [`AlarmsRefused ${reason}`]: 1 });
      expect(intake.engine.cloud.queues.take(alarms())).toEqual([]);
    },
  );

  it('never says or logs the token, nor what somebody has sent as one', async () => {
    const guess = 'a-guess-that-must-not-be-kept';
    const [right, wrong] = [
      await post(payload('alertmanager')),
      await post(payload('alertmanager'), { headers: { authorization: `Bearer ${guess}` } }),
    ];
    const said = `${await right.text()} ${await wrong.text()} ${readFileSync(join(intake.home, 'functions.log'), 'utf8')}`;

    expect(said).toContain('a request was refused');
    expect(said).not.toContain(token());
    expect(said).not.toContain(guess);
    intake.engine.cloud.queues.take(alarms());
  });
});
