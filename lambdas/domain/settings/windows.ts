import * as z from 'zod';
import { weekdays } from '../gates/wall-clock.ts';

const time = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/, 'must be a time from 00:00 to 24:00, such as 22:30');

/** When treatments may begin, by the clock on the wall of a place. */
const Window = z
  .strictObject({
    days: z
      .array(z.enum(weekdays))
      .min(1)
      .max(7)
      .describe('Days on which the window opens. One over midnight closes on the day after.'),
    start: time.describe('When it opens.'),
    end: time.describe('When it closes; at or before start: on the next day.'),
    timeZone: z
      .string()
      .max(64)
      .refine(isTimeZone, 'must be a time zone of the IANA database, such as Europe/Berlin')
      .describe('Whose clock that is.'),
  })
  .refine(({ start, end }) => start !== end && start !== '24:00' && end !== '00:00', {
    message: 'must end at another time than it starts; a whole day is from 00:00 to 24:00',
  });
export type Window = z.infer<typeof Window>;

export const Windows = z.strictObject({
  open: z
    .array(Window)
    .max(20)
    .default([])
    .describe(
      'Maintenance windows: outside of all of them, no treatment of the risk below begins. None: always open, because a leak does not wait for the night.',
    ),
  fromRisk: z
    .enum(['low', 'medium', 'high'])
    .default('medium')
    .describe(
      'The risk from which on a treatment needs a window. What is of low risk disturbs nobody, and most nodes are helped by it.',
    ),
  waitMinutes: z
    .int()
    .min(0)
    .max(1440)
    .default(720)
    .describe(
      'An incident waits for a window that opens within so many minutes: half a day reaches the next night. One that opens later skips the treatment.',
    ),
});
export type Windows = z.infer<typeof Windows>;

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    // An offset, such as +02:00, knows no summer time.
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}
