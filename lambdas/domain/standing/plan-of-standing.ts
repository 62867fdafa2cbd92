import type { Alarm } from '../alarm.ts';
import type { Rung } from '../treatments/treatment.ts';
import { repeats } from './standing.ts';

/**
 * The ladder of an incident that a standing treatment opened: what it repeats, and nothing heavier, for that is all that people
 * agreed to. Where its diagnosis is another one, the node is ill in another way, and its ladder is that of any incident.
 */
export function planOfStanding(plan: Rung[], { standing }: Pick<Alarm, 'standing'>): Rung[] {
  if (standing === undefined) return plan;
  const repeated = plan.filter(
    ({ treatment, onceStopped }) => Object.values<string>(repeats).includes(treatment) && !onceStopped,
  );
  return repeated.length === 0 ? plan : repeated;
}
