import * as z from 'zod';
import { count, NotRead, name, unknownOr } from './number.ts';

export const Sessions = z.object({
  open: unknownOr(count),
  /** Stuck on their way out, of at most 200 that were asked about. */
  closing: unknownOr(count),
  abandonedScopes: unknownOr(count),
  /** Times logind could not end a session, because it did not find its scope running any more. No document counts them: people write it down. */
  abandonFailed: unknownOr(count),
  abandonedSample: z.array(name).max(10).default([]),
  /** What still runs in those abandoned scopes that were looked at (10 at most), and whose: the users of the logins, and of the processes. */
  abandonedLeft: unknownOr(z.object({ scopes: count, processes: count, users: z.array(name).max(10) })),
  /** Logins in the last `coveredSeconds`. */
  logins: unknownOr(count),
  coveredSeconds: unknownOr(z.int().positive()),
  /** Users by logins, most first. */
  users: z
    .array(z.object({ name, logins: count, linger: z.boolean() }))
    .max(20)
    .default([]),
  usersOmitted: unknownOr(count),
  /** What gets a memory cgroup of its own when somebody logs in; linger helps only where it is the user. */
  memoryCgroup: unknownOr(z.enum(['session', 'user', 'none'])),
  /** Logins since the oldest sample of this hour, and the dying cgroups below user.slice then and now. */
  loginsSinceSample: unknownOr(count),
  dyingThen: unknownOr(count),
  dyingNow: unknownOr(count),
  notRead: NotRead,
});
export type Sessions = z.infer<typeof Sessions>;

const runs = z.array(z.object({ unit: name, runs: count })).max(20);

/** What starts by the clock, and which units end most often, in the last `coveredSeconds`. */
export const Timers = z.object({
  coveredSeconds: z.int().positive(),
  cronRuns: count,
  timerRuns: unknownOr(count),
  timers: runs,
  shortLived: runs,
});

/** Fewer logins than this say nothing about what a login leaves. */
const leastLogins = 3;

/** Dying cgroups that each login has left, where they are counted by slice and there is an earlier sample. */
export function zombiesPerLogin({ loginsSinceSample, dyingThen, dyingNow }: Sessions): number | undefined {
  if (loginsSinceSample === null || dyingThen === null || dyingNow === null) return undefined;
  if (loginsSinceSample < leastLogins) return undefined;
  return Math.max(0, dyingNow - dyingThen) / loginsSinceSample;
}

/** Counts in a stretch of time as a rate, or nothing where either was not read. */
export function perHour(counted: number | null, coveredSeconds: number | null): number | undefined {
  return counted === null || coveredSeconds === null ? undefined : (counted * 3600) / coveredSeconds;
}
