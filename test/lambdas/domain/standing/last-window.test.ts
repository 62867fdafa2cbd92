import { describe, expect, it } from 'vitest';
import { turnAt } from '../../../../lambdas/domain/standing/last-window.ts';

const night = (days: ('MON' | 'TUE' | 'WED' | 'THU' | 'FRI' | 'SAT' | 'SUN')[]) => ({
  days,
  start: '22:00',
  end: '23:00',
  timeZone: 'Etc/UTC',
});
const nightly = [night(['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'])];
const weekly = [night(['FRI'])];
/** A Friday. */
const open = new Date('2026-11-20T22:30:00Z');
const shut = new Date('2026-11-20T21:59:00Z');
const hours = (count: number) => new Date(open.getTime() + count * 3_600_000);

describe('whose turn it is in a maintenance window', () => {
  it('is of a kubelet that is full before the next one and its reserve, and of no other', () => {
    // The next opens after 23.5 hours; six are its reserve.
    expect(turnAt(hours(29.4), nightly, 6, open).is).toBe('now');
    expect(turnAt(hours(29.6), nightly, 6, open).is).toBe('later');
    expect(turnAt(hours(6 * 24), weekly, 6, open).is).toBe('now');
    expect(turnAt(hours(8 * 24), weekly, 6, open).is).toBe('later');
  });

  it('is of nobody while none is open, however full', () => {
    expect(turnAt(new Date(0), nightly, 6, shut)).toEqual({
      is: 'later',
      reason: 'no maintenance window is open',
    });
  });

  it('is of nobody where there are no windows, or one that nobody can tell', () => {
    expect(turnAt(new Date(0), [], 6, open).reason).toContain('no maintenance windows');
    const nowhere = [{ ...night(['FRI']), timeZone: 'Nowhere/At_All' }];
    expect(turnAt(new Date(0), nowhere, 6, open)).toMatchObject({
      is: 'later',
      reason: expect.stringContaining('cannot be told'),
    });
  });

  it('goes by the reserve alone where a window never closes', () => {
    const always = [{ ...night(nightly[0]?.days ?? []), start: '00:00', end: '24:00' }];
    expect(turnAt(hours(23), always, 24, open).is).toBe('now');
    expect(turnAt(hours(25), always, 24, open).is).toBe('later');
  });
});
