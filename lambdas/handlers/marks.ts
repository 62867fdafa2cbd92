import { type MarksAnswer, marksOfNode } from '../adapters/node-marks.ts';
import { askMarksInVpc } from '../adapters/vpc-reader.ts';
import { within } from '../adapters/within.ts';
import type { Marks } from '../domain/gates/others-gate.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import type { Rung } from '../domain/treatments/treatment.ts';
import type { PhaseContext } from './phase.ts';
import { problemOf } from './problem-of.ts';
import { askCluster } from './way-to-cluster.ts';

/** The function has 30 s, and other gates to ask at the same time. */
const limitMs = 15_000;
/** Of these, what the API server has. */
const serverMs = 8000;

/** What the API server says of the marks of the node, for all gates that go by them. */
export type MarksRead = MarksAnswer | Exclude<Marks, { taints: unknown }>;

/** Asks the API server, where the settings open a way to it, with what the node is marked. */
export async function askMarks(
  { incident }: Pick<IncidentState, 'incident'>,
  rung: Pick<Rung, 'kind'>,
  { cluster, now, logger }: Pick<PhaseContext, 'cluster' | 'now' | 'logger'>,
): Promise<MarksRead> {
  const { instanceId, cluster: name } = incident;
  const { access } = cluster.api;
  if (rung.kind === 'notify') return { notAsked: 'people are only told' };
  if (access === 'none') return { notAsked: `clusters.${name}.api.access is none` };
  const label = cluster.gates.veto.key;
  try {
    const asking = askCluster({
      cluster: name,
      access,
      instanceId,
      now: now(),
      limitMs,
      here: (question, token) => marksOfNode({ ...question, label }, token, serverMs),
      inVpc: (lambda, reader, question) => askMarksInVpc(lambda, reader, { ...question, label }),
    });
    return await within(limitMs, 'whoever was asked', asking);
  } catch (error) {
    logger.error('the marks of the node could not be read', { error });
    return { gap: problemOf(error) };
  }
}
