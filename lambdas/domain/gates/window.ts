import type { Window } from '../settings/windows.ts';
import { dayBefore, type WallTime, wallClock } from './wall-clock.ts';

const minuteMs = 60_000;
/** Every window opens once a week, except where clocks skip all of it. */
const searchedMinutes = 15 * 24 * 60;

/** The window that is open at a moment, or `undefined`. @throws RangeError for a time zone that is not known here */
export function openWindow(windows: readonly Window[], at: Date): Window | undefined {
  return finder(windows)(at);
}

/** When one of these windows opens next, to the minute; `undefined` where none does for two weeks. Throws as `openWindow`. */
export function nextOpening(windows: readonly Window[], from: Date): Date | undefined {
  const find = finder(windows);
  const first = Math.floor(from.getTime() / minuteMs) + 1;
  for (let minute = first; minute <= first + searchedMinutes; minute += 1) {
    const at = new Date(minute * minuteMs);
    if (find(at) !== undefined) return at;
  }
  return undefined;
}

/** When all of these windows have closed, to the quarter of an hour; `undefined` where one is open for two weeks. Throws as `openWindow`. */
export function nextClosing(windows: readonly Window[], from: Date): Date | undefined {
  const find = finder(windows);
  for (let minute = 15; minute <= searchedMinutes; minute += 15) {
    const at = new Date(from.getTime() + minute * minuteMs);
    if (find(at) === undefined) return at;
  }
  return undefined;
}

export function windowText({ days, start, end, timeZone }: Window): string {
  return `${days.join(', ')} ${start}-${end} ${timeZone}`;
}

/** One clock for each time zone: making one takes longer than asking it a thousand times. */
function finder(windows: readonly Window[]): (at: Date) => Window | undefined {
  const zones = [...new Set(windows.map(({ timeZone }) => timeZone))].map((timeZone) => ({
    clock: wallClock(timeZone),
    windows: windows.filter((window) => window.timeZone === timeZone),
  }));
  return (at) => {
    for (const { clock, windows: ofZone } of zones) {
      const shown = clock(at);
      const open = ofZone.find((window) => holds(window, shown));
      if (open !== undefined) return open;
    }
    return undefined;
  };
}

function holds({ days, start, end }: Window, { day, minute }: WallTime): boolean {
  const from = minutesOf(start);
  const to = minutesOf(end);
  if (from < to) return days.includes(day) && minute >= from && minute < to;
  return (days.includes(day) && minute >= from) || (days.includes(dayBefore(day)) && minute < to);
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}
