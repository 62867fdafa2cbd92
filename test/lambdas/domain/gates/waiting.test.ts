import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterWait,
  longestWait,
  type Waiting,
  waitedEnough,
  waitMore,
} from '../../../../lambdas/domain/gates/waiting.ts';
import { Gates } from '../../../../lambdas/domain/settings/gates.ts';

const start = Date.parse('2026-11-28T10:00:00Z');
const at = (seconds: number) => new Date(start + seconds * 1000);
const until = (seconds: number) => ({ until: at(seconds).toISOString() });
const first = (seconds: number, longest = 960) =>
  waitMore(undefined, until(seconds), { now: at(0), longest });

describe('a wait at a gate', () => {
  it('is as long as the gate says, and never longer than five minutes at a time', () => {
    expect(first(20)).toEqual({
      waitSeconds: 20,
      waiting: {
        since: '2026-11-28T10:00:00.000Z',
        seconds: 20,
        rounds: 1,
        stale: true,
        lookAgain: false,
        looks: 0,
      },
    });
    expect(first(0.2)?.waitSeconds).toBe(1);
    expect(first(301)?.waitSeconds).toBe(300);
    expect(waitMore(undefined, {}, { now: at(0), longest: 960 })?.waitSeconds).toBe(300);
  });

  it('lasts a second where the gate names a time that is over, so that nothing spins', () => {
    expect(first(-3600)?.waitSeconds).toBe(1);
  });

  it('ends with what the incident may wait in all, over all its rungs', () => {
    const waiting = { ...(first(300)?.waiting as Waiting), seconds: 900 };
    expect(waitMore(waiting, until(3600), { now: at(900), longest: 960 })?.waitSeconds).toBe(60);
    const enough = { ...waiting, seconds: 960 };
    expect(waitMore(enough, until(3600), { now: at(960), longest: 960 })).toBeUndefined();
    expect(waitedEnough(enough, { gate: 'pause', decision: 'wait', reason: 'paused by ana' })).toBe(
      'it has waited 16 minutes, for the first time at 2026-11-28T10:00:00.000Z, and no incident waits longer: paused by ana',
    );
  });

  it('comes to an end whatever gates say: in seconds, and in questions', () => {
    fc.assert(
      fc.property(
        fc.infiniteStream(fc.option(fc.integer({ min: -5000, max: 5000 }), { nil: undefined })),
        fc.integer({ min: 60, max: 90_000 }),
        (answers, longest) => {
          let waiting: Waiting | undefined;
          let slept = 0;
          let rounds = 0;
          for (const answer of answers) {
            const more = waitMore(waiting, answer === undefined ? {} : until(slept + answer), {
              now: at(slept),
              longest,
            });
            if (more === undefined) break;
            expect(more.waitSeconds).toBeGreaterThanOrEqual(1);
            expect(more.waitSeconds).toBeLessThanOrEqual(300);
            slept += more.waitSeconds;
            rounds += 1;
            waiting = afterWait(more.waiting);
          }
          expect(slept).toBeLessThanOrEqual(longest);
          expect(rounds).toBeLessThanOrEqual(400);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('is followed by one look at the node, and by no other until it waits again', () => {
    const { waiting } = first(20) as { waiting: Waiting };
    const looking = afterWait(waiting);
    expect(looking).toMatchObject({ stale: false, lookAgain: true, looks: 1 });
    const goingOn = afterWait(looking);
    expect(goingOn).toMatchObject({ stale: false, lookAgain: false, looks: 1 });
    expect(
      afterWait(waitMore(goingOn, until(40), { now: at(20), longest: 960 })?.waiting as Waiting),
    ).toMatchObject({
      lookAgain: true,
      looks: 2,
      seconds: 40,
    });
  });

  it('may be as long as a pause and a window are waited for, and a window only where there is one', () => {
    expect(longestWait(Gates.parse({}))).toBe(16 * 60);
    const open = [{ days: ['SAT'], start: '22:00', end: '06:00', timeZone: 'UTC' }];
    expect(longestWait(Gates.parse({ windows: { open } }))).toBe(736 * 60);
  });
});
