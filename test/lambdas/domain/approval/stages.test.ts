import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mayGoOn, stageAt, timesOf } from '../../../../lambdas/domain/approval/stages.ts';
import { Approvals } from '../../../../lambdas/domain/settings/approval.ts';

const now = new Date('2026-11-21T06:00:00.000Z');
const later = (seconds: number) => new Date(now.getTime() + seconds * 1000);
const withGroup = Approvals.parse({ escalation: { group: 'managers' } });

describe('the wait for a decision', () => {
  it('reminds at half of its time and escalates at three quarters, by risk', () => {
    expect(timesOf(withGroup, 'high', now)).toEqual({
      createdAt: now.toISOString(),
      remindAt: later(3600).toISOString(),
      escalateAt: later(5400).toISOString(),
      expiresAt: later(7200).toISOString(),
    });
    expect(timesOf(withGroup, 'medium', now).expiresAt).toBe(later(1800).toISOString());
  });

  it('escalates to nobody where there is no second group, and reminds nobody where that is switched off', () => {
    expect(timesOf(Approvals.parse({}), 'low', now)).toMatchObject({ escalateAt: null });
    expect(timesOf(Approvals.parse({ remindAtPercent: 0 }), 'low', now)).toMatchObject({ remindAt: null });
  });

  it('goes from stage to stage at the very moment, and ends at its expiry', () => {
    const times = timesOf(withGroup, 'medium', now);

    expect(stageAt(times, now)).toEqual({ stage: 'asked', seconds: 900 });
    expect(stageAt(times, later(899.5))).toEqual({ stage: 'asked', seconds: 1 });
    expect(stageAt(times, later(900))).toEqual({ stage: 'reminded', seconds: 450 });
    expect(stageAt(times, later(1350))).toEqual({ stage: 'escalated', seconds: 450 });
    expect(stageAt(times, later(1800))).toBeUndefined();
  });

  it('never waits beyond its expiry by more than the second that is rounded up, and always ends', () => {
    const settings = fc.record({
      remindAtPercent: fc.integer({ min: 0, max: 47 }),
      atPercent: fc.integer({ min: 48, max: 95 }),
      group: fc.option(fc.constant('managers'), { nil: undefined }),
      seconds: fc.integer({ min: 1, max: 14_400 }),
    });
    fc.assert(
      fc.property(settings, ({ remindAtPercent, atPercent, group, seconds }) => {
        const approvals = Approvals.parse({
          remindAtPercent,
          escalation: { atPercent, ...(group === undefined ? {} : { group }) },
          expirySeconds: { low: seconds },
        });
        const times = timesOf(approvals, 'low', now);
        const seen: string[] = [];
        let at = now;
        for (let stages = 0; ; stages += 1) {
          const present = stageAt(times, at);
          if (present === undefined) break;
          expect(stages).toBeLessThan(6);
          expect(present.seconds).toBeGreaterThanOrEqual(1);
          seen.push(present.stage);
          at = new Date(at.getTime() + present.seconds * 1000);
        }
        expect(at.getTime()).toBeLessThan(Date.parse(times.expiresAt) + 1001);
        expect(seen[0]).toBe('asked');
        expect(new Set(seen).size).toBe(seen.length);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['that ran out goes on', { stage: 'asked' }, true, true],
    ['that broke before anybody was asked does not', { stage: 'asked' }, false, false],
    ['that broke at a reminder goes on without it', { stage: 'reminded', told: 'asked' }, false, true],
    ['that broke there again does not', { stage: 'reminded', told: 'reminded' }, false, false],
    ['that broke at the second group goes on', { stage: 'escalated', told: 'reminded' }, false, true],
  ] as const)('%s', (_, wait, ranOut, goesOn) => {
    expect(mayGoOn(wait, ranOut)).toBe(goesOn);
  });
});
