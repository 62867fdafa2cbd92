import type { IncidentState } from '../incident-state.ts';
import { Standing } from './standing.ts';

const dayMs = 86_400_000;

/**
 * What is agreed to by the approval of the present rung, from now on. A retry within the same incident has the same id.
 *
 * @throws where the rung, its approval or its group is none of a standing treatment
 */
export function standingOf(
  { incident, rung, ladder, diagnosis, approval }: IncidentState,
  now: Date,
): Standing {
  const { nodeGroup, threshold, days } = rung?.arguments ?? {};
  if (nodeGroup === undefined || nodeGroup !== incident.nodeGroup) {
    throw new Error(`the rung is about group ${nodeGroup}, and the node is one of ${incident.nodeGroup}`);
  }
  const approved = approval?.decision === 'approved' ? approval : undefined;
  return Standing.parse({
    version: 1,
    id: `${incident.id}-r${ladder.index}`,
    cluster: incident.cluster,
    nodeGroup,
    treatment: rung?.treatment,
    cause: diagnosis?.cause,
    threshold: Number(threshold),
    incident: incident.id,
    approvedBy: approved?.by ?? `policy:${rung?.risk}`,
    approval: approved?.id ?? `policy:${rung?.risk}`,
    from: now.toISOString(),
    until: new Date(now.getTime() + Number(days) * dayMs).toISOString(),
  });
}
