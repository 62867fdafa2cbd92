import type { IncidentState } from '../incident-state.ts';
import type { StandingEnd } from './standing.ts';

/** Whether an incident of a standing treatment was helped; `undefined` where nothing was done to its node. */
export function helpedOf({ results }: Pick<IncidentState, 'results'>): boolean | undefined {
  const done = results.filter(({ status }) => status === 'done' || status === 'failed');
  if (done.length === 0) return undefined;
  return done.some(
    ({ verification }) => verification?.verdict === 'cured' || verification?.verdict === 'relieved',
  );
}

/** For people, who agreed to it. */
export function endedMessage({ incident }: Pick<IncidentState, 'incident'>, { id, reason }: StandingEnd) {
  return {
    kind: 'call-a-person' as const,
    incident: incident.id,
    cluster: incident.cluster,
    instanceId: incident.instanceId,
    title: `the standing treatment of group ${incident.nodeGroup} in ${incident.cluster} has ended itself`,
    text: `${id}: ${reason}. Nothing more is done by it. A new one needs a new approval, and is offered with the next incidents of the group.`,
  };
}
