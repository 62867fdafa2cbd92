import type { IncidentState } from '../incident-state.ts';
import { Standing } from './standing.ts';

const dayMs = 86_400_000;

/**
 * What is agreed to by the approval of the present rung, from now on. A retry within the same incident has the same id.
 *
 * @throws where the group is another one, or no person has approved it
 */
export function standingOf(
  { incident, rung, ladder, diagnosis, approval }: IncidentState,
  now: Date,
): Standing {
  const { nodeGroup, threshold, days } = rung?.arguments ?? {};
  if (nodeGroup === undefined || nodeGroup !== incident.nodeGroup) {
    throw new Error(`the rung is about group ${nodeGroup}, and the node is one of ${incident.nodeGroup}`);
  }
  // It stands in for the approvals of days to come: a policy is not enough.
  if (approval?.decision !== 'approved' || approval.by === undefined) {
    throw new Error(`no person has approved ${rung?.treatment} of group ${nodeGroup}`);
  }
  return Standing.parse({
    version: 1,
    id: `${incident.id}-r${ladder.index}`,
    cluster: incident.cluster,
    nodeGroup,
    treatment: rung?.treatment,
    cause: diagnosis?.cause,
    threshold: Number(threshold),
    incident: incident.id,
    approvedBy: approval.by,
    approval: approval.id,
    from: now.toISOString(),
    until: new Date(now.getTime() + Number(days) * dayMs).toISOString(),
  });
}
