import type { Alarm } from '../alarm.ts';
import type { Diagnosis } from '../diagnosis.ts';
import type { Rung } from '../treatments/treatment.ts';
import { repeats, standingFor } from './standing.ts';

/** Whether an incident is about what its standing treatment is for. Otherwise the node is ill in another way. */
export function isOfStanding(
  { standing }: Pick<Alarm, 'standing'>,
  diagnosis: Pick<Diagnosis, 'cause'> | undefined,
): boolean {
  return standing !== undefined && standingFor(diagnosis?.cause) !== undefined;
}

/**
 * The ladder of an incident that a standing treatment opened: what it repeats, and nothing heavier, for that is all that people
 * agreed to. Where the node is ill in another way, its ladder is that of any incident.
 */
export function planOfStanding(
  plan: Rung[],
  alarm: Pick<Alarm, 'standing'>,
  diagnosis: Pick<Diagnosis, 'cause'>,
): Rung[] {
  const of = standingFor(diagnosis.cause);
  if (of === undefined || !isOfStanding(alarm, diagnosis)) return plan;
  const repeated = plan.filter(({ treatment, onceStopped }) => treatment === repeats[of] && !onceStopped);
  return repeated.length === 0 ? plan : repeated;
}
