import * as z from 'zod';
import type { Approvals } from '../settings/approval.ts';
import type { Approval } from './approval.ts';

/** How far the wait for a decision has come. Each stage is a wait of its own, with a task token of its own. */
export const Stage = z.enum(['asked', 'reminded', 'escalated']);
export type Stage = z.infer<typeof Stage>;

type Times = Pick<Approval, 'createdAt' | 'remindAt' | 'escalateAt' | 'expiresAt'>;

/** When people are reminded of an approval that is asked for now, when the second group is told, and when it expires. */
export function timesOf(
  { expirySeconds, remindAtPercent, escalation }: Approvals,
  risk: 'low' | 'medium' | 'high',
  now: Date,
): Times {
  const seconds = expirySeconds[risk];
  const at = (percent: number): string => new Date(now.getTime() + seconds * percent * 10).toISOString();
  const escalates = escalation.group !== undefined && escalation.atPercent > 0;
  return {
    createdAt: now.toISOString(),
    remindAt: remindAtPercent > 0 ? at(remindAtPercent) : null,
    escalateAt: escalates ? at(escalation.atPercent) : null,
    expiresAt: at(100),
  };
}

/**
 * The stage at this moment, and how long it lasts. `undefined`: it has expired.
 *
 * @returns `seconds` rounded up and at least 1: Step Functions takes nothing less
 */
export function stageAt(
  { remindAt, escalateAt, expiresAt }: Omit<Times, 'createdAt'>,
  now: Date,
): { stage: Stage; seconds: number } | undefined {
  if (now >= new Date(expiresAt)) return undefined;
  const reached = (at: string | null): boolean => at !== null && now >= new Date(at);
  const stage = reached(escalateAt) ? 'escalated' : reached(remindAt) ? 'reminded' : 'asked';
  const ends = [remindAt, escalateAt, expiresAt].flatMap((at) =>
    at === null || reached(at) ? [] : [Date.parse(at)],
  );
  return { stage, seconds: Math.max(1, Math.ceil((Math.min(...ends) - now.getTime()) / 1000)) };
}

/**
 * Whether a wait that has ended may go on with a next stage, if there is time. One that ran out may. One that broke may where
 * people had been asked before, once for each stage: nobody needs be told again, and what breaks twice would break for ever.
 */
export function mayGoOn(
  { stage, told }: { stage: Stage; told?: Stage | undefined },
  ranOut: boolean,
): boolean {
  return ranOut || (told !== undefined && told !== stage);
}
