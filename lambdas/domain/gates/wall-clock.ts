export const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] as const;
export type Weekday = (typeof weekdays)[number];

/** What a clock on the wall shows: the day, and minutes since 00:00. */
export type WallTime = { day: Weekday; minute: number };

/**
 * Tells what the clocks of a place show at a moment, summer time included: an hour that clocks skip is never shown, and one that
 * they repeat is shown twice.
 *
 * @throws RangeError for a time zone that is not known here
 */
export function wallClock(timeZone: string): (at: Date) => WallTime {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return (at) => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
    const day = weekdays.find((name) => name === parts.get('weekday')?.toUpperCase());
    const minute = Number(parts.get('hour')) * 60 + Number(parts.get('minute'));
    if (day === undefined || !Number.isInteger(minute)) {
      throw new RangeError(`no time could be had for ${timeZone}`);
    }
    return { day, minute };
  };
}

export function dayBefore(day: Weekday): Weekday {
  return weekdays[(weekdays.indexOf(day) + 6) % 7] ?? day;
}
