import * as z from 'zod';

const Breaker = z.strictObject({
  failures: z
    .int()
    .min(1)
    .max(20)
    .default(3)
    .describe(
      'Incidents of this cluster whose treatment did not help, or failed, within the window, from which on nothing more is done in it. One is bad luck; three within an hour are a diagnosis, a treatment or a fleet that is not what we think.',
    ),
  windowMinutes: z.int().min(5).max(1440).default(60).describe('That window.'),
  coolDownMinutes: z
    .int()
    .min(5)
    .max(10_080)
    .default(60)
    .describe(
      'Minutes until one incident, and no other, may try again. If that helps, the cluster goes on as before; if not, it waits as long once more.',
    ),
});
export type Breaker = z.infer<typeof Breaker>;

export const Gates = z.strictObject({ breaker: Breaker.prefault({}) });
