import * as z from 'zod';

/** An alarm after intake: which node of which cluster, and who or what raised it. */
export const Alarm = z.object({
  source: z.enum(['by-hand', 'cloudwatch', 'amp', 'alertmanager', 'census']),
  id: z.string().min(1).max(256),
  at: z.iso.datetime(),
  cluster: z.string().min(1).max(100),
  instanceId: z
    .string()
    .regex(/^i-[0-9a-f]{8,17}$/, 'must be an EC2 instance id such as i-0123456789abcdef0'),
  reason: z.string().max(1000).optional(),
  /** The standing treatment that the census opened it for. It allows nothing: whether that holds, the gates ask. */
  standing: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,100}$/)
    .optional(),
  /** The person behind an alarm by hand; they cannot approve what they asked for. */
  requestedBy: z.string().max(256).optional(),
});
export type Alarm = z.infer<typeof Alarm>;
