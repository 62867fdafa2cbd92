import { dynamo } from '../adapters/dynamo.ts';
import { environment } from '../adapters/environment.ts';
import { readStanding } from '../adapters/standing-reader.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import type { Cluster } from '../domain/settings.ts';
import { standingFor, standingText, whyOver } from '../domain/standing/standing.ts';
import type { GroupKnown } from '../domain/treatments/treatment.ts';
import type { PhaseContext } from './phase.ts';
import { problemOf } from './problem-of.ts';
import { historyStore } from './recurrence.ts';

/** What is known of the group of a node, where a treatment of its diagnosis is about all of it. */
export async function groupOf(
  { incident, diagnosis }: IncidentState,
  { gates }: Cluster,
  now: Date,
  logger: PhaseContext['logger'],
): Promise<GroupKnown> {
  const { cluster, nodeGroup } = incident;
  const treatment = standingFor(diagnosis?.cause);
  if (treatment === undefined) return { gap: 'no treatment of this cause is about a group' };
  if (nodeGroup === undefined) return { gap: 'the tags of this node name no group' };
  const days = gates.recurrence.windowDays;
  try {
    const [pasts, read] = await Promise.all([
      historyStore().ofGroup(cluster, nodeGroup, days, now),
      readStanding(dynamo(), environment().STATE_TABLE, { cluster, nodeGroup, treatment }),
    ]);
    const holds = read !== undefined && whyOver(read, now) === undefined;
    return { nodeGroup, pasts, days, standing: holds ? standingText(read.standing) : undefined };
  } catch (error) {
    logger.error('what was done in the group of the node could not be read', { error });
    return { gap: problemOf(error) };
  }
}
