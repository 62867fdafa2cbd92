import { describe, expect, it } from 'vitest';
import { nextOpening, openWindow } from '../../../../lambdas/domain/gates/window.ts';
import { windowGate } from '../../../../lambdas/domain/gates/window-gate.ts';
import { Gates } from '../../../../lambdas/domain/settings/gates.ts';
import { type Window, Windows } from '../../../../lambdas/domain/settings/windows.ts';

const every: Window['days'] = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const window = (start: string, end: string, timeZone: string, days = every): Window =>
  Windows.parse({ open: [{ days, start, end, timeZone }] }).open[0] as Window;
const isOpen = (one: Window, at: string) => openWindow([one], new Date(at)) !== undefined;
const next = (windows: Window[], from: string) => nextOpening(windows, new Date(from))?.toISOString();

const document = (risk: 'low' | 'medium' | 'high') => ({ kind: 'document', risk }) as const;
const ask = (
  settings: object,
  at: string,
  rung: { kind: 'document' | 'notify'; risk: 'none' | 'low' | 'medium' | 'high' } = document('medium'),
  approved = false,
) => windowGate(Windows.parse(settings), { rung, now: new Date(at), approved });

describe('a window', () => {
  it('opens at its first minute and closes at its last, by the clock of its place', () => {
    const night = window('02:00', '04:30', 'Asia/Kolkata');
    // UTC+5:30, and no summer time.
    expect(isOpen(night, '2026-11-27T20:29:59Z')).toBe(false);
    expect(isOpen(night, '2026-11-27T20:30:00Z')).toBe(true);
    expect(isOpen(night, '2026-11-27T22:59:59Z')).toBe(true);
    expect(isOpen(night, '2026-11-27T23:00:00Z')).toBe(false);
  });

  it('over midnight belongs to the day on which it opens', () => {
    const friday = window('22:00', '06:00', 'UTC', ['FRI']);
    // 2026-11-27 is a Friday.
    expect(isOpen(friday, '2026-11-27T05:00:00Z')).toBe(false);
    expect(isOpen(friday, '2026-11-27T22:00:00Z')).toBe(true);
    expect(isOpen(friday, '2026-11-28T05:59:00Z')).toBe(true);
    expect(isOpen(friday, '2026-11-28T06:00:00Z')).toBe(false);
    expect(isOpen(friday, '2026-11-28T22:00:00Z')).toBe(false);
    const saturday = window('23:30', '00:30', 'UTC', ['SAT']);
    expect(isOpen(saturday, '2026-11-29T00:29:00Z')).toBe(true);
    expect(isOpen(saturday, '2026-11-28T00:29:00Z')).toBe(false);
  });

  it('may last a whole day, or to its end', () => {
    const sunday = window('00:00', '24:00', 'UTC', ['SUN']);
    expect(isOpen(sunday, '2026-11-28T23:59:59Z')).toBe(false);
    expect(isOpen(sunday, '2026-11-29T00:00:00Z')).toBe(true);
    expect(isOpen(sunday, '2026-11-29T23:59:59Z')).toBe(true);
    expect(isOpen(sunday, '2026-11-30T00:00:00Z')).toBe(false);
  });

  it('keeps to the clock on the wall when summer time begins and ends', () => {
    const morning = window('05:00', '06:00', 'Europe/Berlin');
    // The days before and after 2026-03-29 and 2026-10-25.
    expect(next([morning], '2026-03-28T00:00:00Z')).toBe('2026-03-28T04:00:00.000Z');
    expect(next([morning], '2026-03-29T00:00:00Z')).toBe('2026-03-29T03:00:00.000Z');
    expect(next([morning], '2026-10-24T00:00:00Z')).toBe('2026-10-24T03:00:00.000Z');
    expect(next([morning], '2026-10-25T00:00:00Z')).toBe('2026-10-25T04:00:00.000Z');
  });

  it('opens late where clocks skip its beginning, and not at all where they skip all of it', () => {
    // At 02:00 it is 03:00.
    expect(next([window('02:30', '04:00', 'Europe/Berlin')], '2026-03-28T12:00:00Z')).toBe(
      '2026-03-29T01:00:00.000Z',
    );
    const skipped = window('02:10', '02:50', 'Europe/Berlin', ['SUN']);
    expect(next([skipped], '2026-03-28T12:00:00Z')).toBe('2026-04-05T00:10:00.000Z');
  });

  it('is open twice where clocks repeat it', () => {
    // At 03:00 it is 02:00 again.
    const repeated = window('02:10', '02:50', 'Europe/Berlin');
    expect(isOpen(repeated, '2026-10-25T00:20:00Z')).toBe(true);
    expect(isOpen(repeated, '2026-10-25T00:55:00Z')).toBe(false);
    expect(isOpen(repeated, '2026-10-25T01:20:00Z')).toBe(true);
    expect(next([repeated], '2026-10-25T00:55:00Z')).toBe('2026-10-25T01:10:00.000Z');
  });

  it('over the midnight of a place whose clocks skip it opens after it', () => {
    // Egypt sets its clocks forward at the midnight that begins 2026-04-24.
    const night = window('23:30', '01:30', 'Africa/Cairo', ['THU']);
    expect(isOpen(night, '2026-04-23T21:59:00Z')).toBe(true);
    expect(isOpen(night, '2026-04-23T22:00:00Z')).toBe(true);
    expect(isOpen(night, '2026-04-23T22:30:00Z')).toBe(false);
  });

  it('is the first of several that opens, wherever they are', () => {
    const windows = [window('02:00', '03:00', 'America/New_York'), window('02:00', '03:00', 'Asia/Tokyo')];
    expect(next(windows, '2026-11-28T00:00:00Z')).toBe('2026-11-28T07:00:00.000Z');
    expect(next(windows, '2026-11-28T08:00:00Z')).toBe('2026-11-28T17:00:00.000Z');
    expect(openWindow(windows, new Date('2026-11-28T17:30:00Z'))?.timeZone).toBe('Asia/Tokyo');
  });
});

describe('windowGate', () => {
  const open = [{ days: every, start: '22:00', end: '02:00', timeZone: 'UTC' }];

  it('passes where there are no windows', () => {
    expect(ask({}, '2026-11-28T12:00:00Z', document('high'))).toMatchObject({ decision: 'pass' });
  });

  it.each([
    ['low', 'medium', 'pass'],
    ['medium', 'medium', 'wait'],
    ['high', 'medium', 'wait'],
    ['low', 'low', 'wait'],
    ['medium', 'high', 'pass'],
    ['high', 'high', 'wait'],
  ] as const)(
    'a treatment of %s risk, with windows from %s risk on, outside of them: %s',
    (risk, from, decision) => {
      expect(ask({ open, fromRisk: from }, '2026-11-28T12:00:00Z', document(risk)).decision).toBe(decision);
    },
  );

  it('passes within a window, and lets people be told at any time', () => {
    expect(ask({ open }, '2026-11-28T23:00:00Z')).toMatchObject({
      decision: 'pass',
      reason: expect.stringContaining('22:00-02:00 UTC is open'),
    });
    // Whatever risk somebody gives it.
    const telling = { kind: 'notify', risk: 'high' } as const;
    expect(ask({ open }, '2026-11-28T12:00:00Z', telling).decision).toBe('pass');
  });

  it('waits for one that opens soon enough, and says until when', () => {
    expect(ask({ open }, '2026-11-28T10:00:00Z')).toEqual({
      gate: 'windows',
      decision: 'wait',
      reason: 'no maintenance window is open for medium risk; the next opens at 2026-11-28T22:00:00.000Z',
      until: '2026-11-28T22:00:00.000Z',
    });
  });

  it('skips what would have to wait for longer, by a minute as by a week', () => {
    expect(ask({ open }, '2026-11-28T09:59:00Z')).toMatchObject({
      decision: 'skip',
      reason: expect.stringMatching(/opens at 2026-11-28T22:00.*waits 720 minutes at most/),
    });
    expect(ask({ open: [{ ...open[0], days: ['MON'] }] }, '2026-12-01T12:00:00Z')).toMatchObject({
      decision: 'skip',
      reason: expect.stringContaining('2026-12-07T22:00'),
    });
  });

  it('refuses what was approved after it had closed: a yes of today is none for tomorrow', () => {
    expect(ask({ open }, '2026-11-29T02:00:00Z', document('high'), true)).toMatchObject({
      decision: 'refuse',
      reason: expect.stringContaining('The approval came too late'),
    });
  });

  it('refuses where the time of a place cannot be told', () => {
    const settings = {
      ...Windows.parse({ open }),
      open: [{ ...open[0], timeZone: 'Nowhere/Such' } as Window],
    };
    const now = new Date('2026-11-28T23:00:00Z');
    expect(windowGate(settings, { rung: document('high'), now, approved: false })).toMatchObject({
      decision: 'refuse',
      reason: expect.stringContaining('Nowhere/Such'),
    });
  });
});

describe('the settings of windows', () => {
  const good = { days: ['SAT'], start: '22:00', end: '06:00', timeZone: 'Europe/Berlin' };

  it.each([
    ['no days', { days: [] }],
    ['another day', { days: ['Saturday'] }],
    ['a time that is none', { start: '25:00' }],
    ['a time without minutes', { start: '22' }],
    ['a beginning at the end of the day', { start: '24:00' }],
    ['an end that is a beginning', { end: '00:00' }],
    ['no time in between', { end: '22:00' }],
    ['a place that is none', { timeZone: 'Europe/Berlinn' }],
    ['an offset', { timeZone: '+01:00' }],
  ])('refuse %s', (_, change) => {
    expect(Windows.safeParse({ open: [good] }).success).toBe(true);
    expect(Windows.safeParse({ open: [{ ...good, ...change }] }).success).toBe(false);
  });

  it('have none to begin with', () => {
    expect(Gates.parse({}).windows).toEqual({ open: [], fromRisk: 'medium', waitMinutes: 720 });
  });
});
