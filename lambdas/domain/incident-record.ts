import * as z from 'zod';
import { Diagnosis } from './diagnosis.ts';
import { Outcome, RungResult } from './incident-state.ts';
import { LookAgain } from './look-again.ts';
import { LeftOut, Rung } from './treatments/treatment.ts';

const ms = z.int().nonnegative();

/** What one incident came to, for people and other tools. Fields may be added, never renamed or removed. */
export const IncidentRecord = z.object({
  id: z.string(),
  /** What stands for the node: the host, or the name of a recorded one. */
  node: z.string(),
  recorded: z.boolean(),
  outcome: Outcome,
  reason: z.string(),
  diagnosis: Diagnosis.nullable(),
  /** The ladder, as it was planned last. */
  plan: z.array(Rung).default([]),
  rungs: z.array(RungResult),
  /** Treatments of the cause that were not on the ladder, and why. */
  leftOut: z.array(LeftOut).default([]),
  /** Where the cure is provisional: when, and at what, the census looks again. */
  lookAgain: LookAgain.optional(),
  /** Milliseconds, in all and by phase. */
  timings: z.object({ total: ms, byPhase: z.record(z.string(), ms) }),
  /** Paths of the audit trail and of the report. */
  audit: z.string(),
  report: z.string(),
});
export type IncidentRecord = z.infer<typeof IncidentRecord>;
