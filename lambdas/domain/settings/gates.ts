import * as z from 'zod';
import { CohortSettings } from './cohort.ts';
import { Veto } from './veto.ts';
import { Windows } from './windows.ts';

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

const Pauses = z.strictObject({
  waitMinutes: z
    .int()
    .min(0)
    .max(60)
    .default(15)
    .describe(
      'An incident waits for the end of a pause that is at most so many minutes away; a longer one refuses. Short, because the node is leased to an incident that waits. 0: every pause refuses.',
    ),
});
export type Pauses = z.infer<typeof Pauses>;

const Recurrence = z.strictObject({
  windowDays: z
    .int()
    .min(1)
    .max(30)
    .default(7)
    .describe('The days in which treatments are counted, and that a card tells of.'),
  perNode: z
    .int()
    .min(1)
    .max(1000)
    .default(3)
    .describe(
      'Incidents within that window in which one node was treated, from which on a person is asked before it is treated again, also in mode auto. What has come back three times in a week comes back: something on the node makes it.',
    ),
  perImage: z
    .int()
    .min(1)
    .max(10_000)
    .default(20)
    .describe(
      'Nodes of one machine image that were treated within that window, from which on a person is asked before another of them is. Twenty are a fleet whose image, or an agent in it, leaks; three would be every fleet on its first night.',
    ),
});
export type Recurrence = z.infer<typeof Recurrence>;

const Budget = z.strictObject({
  nodeGroupPercent: z
    .number()
    .min(0)
    .max(100)
    .default(10)
    .describe(
      'Percent of the running nodes of one node group (or node pool, or Auto Scaling group) that may be disrupted at once, rounded down; one always may be. What goes wrong with a tenth is noticed, and is no outage.',
    ),
  clusterPercent: z
    .number()
    .min(0)
    .max(100)
    .default(10)
    .describe(
      'The same of all running nodes of the cluster: many small groups must not add up to half of it.',
    ),
  perZone: z
    .int()
    .min(1)
    .max(1000)
    .default(1)
    .describe(
      'Nodes of one availability zone that may be disrupted at once. One: volumes and zonal replicas cannot go anywhere else.',
    ),
  waitMinutes: z
    .int()
    .min(0)
    .max(240)
    .default(30)
    .describe(
      'Minutes that one incident waits for a place in all, before it leaves the treatment out. About as long as one treatment and the looks after it hold theirs.',
    ),
  askAgainSeconds: z
    .int()
    .min(1)
    .max(600)
    .default(60)
    .describe('Seconds after which one that waits asks again: each question is one read of one item.'),
});
export type Budget = z.infer<typeof Budget>;

export const Gates = z.strictObject({
  breaker: Breaker.prefault({}),
  recurrence: Recurrence.prefault({}),
  budget: Budget.prefault({}),
  cohort: CohortSettings.prefault({}),
  pauses: Pauses.prefault({}),
  veto: Veto.prefault({}),
  windows: Windows.prefault({}),
});
export type Gates = z.infer<typeof Gates>;
