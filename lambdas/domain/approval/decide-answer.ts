import * as z from 'zod';
import { ApprovalStatus } from './approval.ts';

/** What `decide` answers to every door. `pending`: recorded, and others of the quorum are still needed. */
export const DecideAnswer = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('recorded'),
    approval: z.object({ status: ApprovalStatus, decisions: z.int(), quorum: z.int() }),
  }),
  z.object({ status: z.literal('refused'), reason: z.string() }),
]);
export type DecideAnswer = z.infer<typeof DecideAnswer>;
