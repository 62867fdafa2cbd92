import * as z from 'zod';

export const Intake = z.strictObject({
  alarmPrefixes: z
    .array(
      z.string().regex(/^[A-Za-z0-9][\w./-]{2,99}$/, 'must be at least three characters of an alarm name'),
    )
    .min(1)
    .max(10)
    .default(['cgroup-medic-'])
    .describe(
      'What the names of CloudWatch alarms begin with that open incidents. All others are left alone.',
    ),
  webhook: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe(
          'Whether there is a public address, with a bearer token, for a self-managed Alertmanager. Switch it off where you have none.',
        ),
      reservedConcurrency: z
        .int()
        .min(0)
        .max(100)
        .default(5)
        .describe(
          'Requests that the webhook takes at the same time: whoever finds its address can call it, and each call costs. 0 reserves none, for accounts whose whole concurrency is too small to keep 5 apart.',
        ),
    })
    .prefault({}),
});
