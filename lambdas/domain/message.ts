import * as z from 'zod';
import { ApprovalStatus } from './approval/approval.ts';
import { Card } from './approval/card.ts';

/**
 * A message for people. `approval-…`: about one approval, from the question to how it ended. `progress`: what came of a
 * treatment while its incident goes on, for the thread of its card; mail does not get it.
 */
export const MessageKind = z.enum([
  'approval-requested',
  'approval-reminder',
  'approval-escalated',
  'approval-settled',
  'progress',
  'call-a-person',
  'incident-closed',
  'fleet-report',
]);
export type MessageKind = z.infer<typeof MessageKind>;

export const Message = z.object({
  version: z.literal(1),
  kind: MessageKind,
  /** Of a report, the run of the census that made it. */
  incident: z.string(),
  cluster: z.string().optional(),
  instanceId: z.string().optional(),
  title: z.string(),
  text: z.string(),
  approvalId: z.string().optional(),
  expiresAt: z.string().optional(),
  /** Of an approval that is asked for, or asked for again. */
  card: Card.optional(),
  /** Of an approval that came to its end. */
  settled: z
    .object({
      status: ApprovalStatus,
      by: z.array(z.string()),
      reason: z.string().optional(),
      at: z.iso.datetime(),
    })
    .optional(),
});
export type Message = z.infer<typeof Message>;
