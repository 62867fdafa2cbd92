import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterWait,
  longestWait,
  type Waiting,
  waitedEnough,
  waitFor,
  waitMore,
} from '../../../../lambdas/domain/gates/waiting.ts';
import { Approvals } from '../../../../lambdas/domain/settings/approval.ts';
import { Gates } from '../../../../lambdas/domain/settings/gates.ts';

const start = Date.parse('2026-11-28T10:00:00Z');
const at = (seconds: number) => new Date(start + seconds * 1000);
const until = (seconds: number) => at(seconds).toISOString();
const more = (waiting: Waiting | undefined, wanted: number, seconds = 0, longest = 960) =>
  waitMore(waiting, wanted, { now: at(seconds), longest });

describe('the time until a gate is asked again', () => {
  it.each([
    [20, 20],
    [0.2, 1],
    [301, 300],
    [86_400, 300],
    // Over already, and nothing spins.
    [-3600, 1],
  ])('of one that names a time in %s seconds is %s seconds', (seconds, wait) => {
    expect(waitFor(until(seconds), at(0))).toBe(wait);
  });

  it('is a minute where it names none', () => {
    expect(waitFor(undefined, at(0))).toBe(60);
  });
});

describe('a wait at a gate', () => {
  it('is remembered with all others of its incident', () => {
    const first = more(undefined, 20);
    expect(first).toEqual({
      waitSeconds: 20,
      waiting: {
        since: '2026-11-28T10:00:00.000Z',
        seconds: 20,
        rounds: 1,
        sinceLook: 20,
        lookAgain: false,
        looks: 0,
      },
    });
    expect(more(first?.waiting, 300, 20)?.waiting).toMatchObject({
      since: '2026-11-28T10:00:00.000Z',
      seconds: 320,
      rounds: 2,
      sinceLook: 320,
    });
  });

  it('ends with what the incident may wait in all, over all its rungs', () => {
    const waiting = { ...(more(undefined, 300)?.waiting as Waiting), seconds: 900 };
    expect(more(waiting, 300, 900)?.waitSeconds).toBe(60);
    const enough = { ...waiting, seconds: 960 };
    expect(more(enough, 300, 960)).toBeUndefined();
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
            const wanted = waitFor(answer === undefined ? undefined : until(slept + answer), at(slept));
            const next = more(waiting, wanted, slept, longest);
            if (next === undefined) break;
            expect(next.waitSeconds).toBeGreaterThanOrEqual(1);
            expect(next.waitSeconds).toBeLessThanOrEqual(300);
            slept += next.waitSeconds;
            rounds += 1;
            waiting = afterWait(next.waiting);
          }
          expect(slept).toBeLessThanOrEqual(longest);
          expect(rounds).toBeLessThanOrEqual(1500);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('of a second each comes to an end as well', () => {
    let waiting: Waiting | undefined;
    let rounds = 0;
    for (let next = more(waiting, 1, 0, 90_000); next !== undefined; next = more(waiting, 1, 0, 90_000)) {
      waiting = next.waiting;
      rounds += 1;
      if (rounds > 2000) break;
    }
    expect(rounds).toBe(1500);
  });

  it('is followed by one look at the node, and by no other until it has waited again', () => {
    const looking = afterWait(more(undefined, 30)?.waiting as Waiting);
    expect(looking).toMatchObject({ sinceLook: 0, lookAgain: true, looks: 1 });
    const goingOn = afterWait(looking);
    expect(goingOn).toMatchObject({ sinceLook: 0, lookAgain: false, looks: 1 });
    expect(afterWait(more(goingOn, 40, 30)?.waiting as Waiting)).toMatchObject({
      lookAgain: true,
      looks: 2,
      seconds: 70,
    });
  });

  it('of some seconds needs no new look', () => {
    expect(afterWait(more(undefined, 29)?.waiting as Waiting)).toMatchObject({ lookAgain: false, looks: 0 });
  });

  it('may be as long as the longest decision and all waves of a cohort take, beside all others', () => {
    // 46 minutes of other gates, one of gathering, two hours for a decision on high risk, six hours for waves.
    expect(longestWait(Gates.parse({}), Approvals.parse({}))).toBe((46 + 1 + 120 + 360) * 60);
  });

  it('is followed by a look however short it was, where others decided with it', () => {
    expect(afterWait(more(undefined, 1)?.waiting as Waiting, true)).toMatchObject({
      lookAgain: true,
      looks: 1,
    });
    const looked = afterWait(more(undefined, 1)?.waiting as Waiting, true);
    expect(afterWait(looked, true)).toMatchObject({ lookAgain: false, looks: 1 });
  });

  it('may be as long as a pause, a place and a window are waited for, and a window only where there is one', () => {
    const alone = { cohort: { enabled: false } };
    expect(longestWait(Gates.parse(alone), Approvals.parse({}))).toBe(46 * 60);
    const open = [{ days: ['SAT'], start: '22:00', end: '06:00', timeZone: 'UTC' }];
    expect(longestWait(Gates.parse({ ...alone, windows: { open } }), Approvals.parse({}))).toBe(766 * 60);
  });
});
