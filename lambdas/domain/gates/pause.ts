import * as z from 'zod';
import { oneLine } from '../one-line.ts';

/** The longest that a pause may be set for: one that is meant to stay is the mode observe. */
export const longestPauseDays = 30;

export const PauseName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be a name in small letters, digits, ".", "_" and "-"');

export const PauseReason = oneLine(300);
export const PauseBy = oneLine(200);

/** Somebody's word that nothing is to be done in a cluster for a while. One item of the state table each. */
export const Pause = z.object({
  version: z.literal(1),
  name: PauseName,
  reason: PauseReason,
  until: z.iso.datetime(),
  /** Who it is for, as they say it; where they say nothing, the ARN. */
  by: PauseBy,
  /** Who made it, as AWS says it. */
  arn: z.string().min(1).max(2048),
  at: z.iso.datetime(),
  ended: z
    .object({ at: z.iso.datetime(), by: PauseBy, arn: z.string().max(2048), reason: PauseReason.optional() })
    .optional(),
});
export type Pause = z.infer<typeof Pause>;

export function isActive({ until, ended }: Pick<Pause, 'until' | 'ended'>, now: Date): boolean {
  return ended === undefined && Date.parse(until) > now.getTime();
}

export function whoPaused({ by, arn }: Pick<Pause, 'by' | 'arn'>): string {
  return by === arn ? arn : `${by} (${arn})`;
}
