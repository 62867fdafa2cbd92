import { callForHelp } from './call-for-help.ts';
import { handOver } from './hand-over.ts';
import type { IncidentState } from './incident-state.ts';
import { lookAgainSentence } from './look-again.ts';
import { isOfStanding } from './standing/plan-of-standing.ts';
import { standingChanges, standingSentence, undoByAwsCli } from './standing-changes.ts';

type ClosingMessage = {
  kind: 'call-a-person' | 'incident-closed';
  incident: string;
  cluster: string;
  instanceId: string;
  title: string;
  text: string;
};

/**
 * What people are told when an incident closes. Nothing where another incident held the node: that one tells them, and
 * a burst of alarms must not become a burst of messages.
 *
 * @param nameOf the name in the account of a document, by its short name
 * @param wasCalled whether the call of the ladder for a person was sent, if it made one
 */
export function closingMessage(
  state: IncidentState,
  nameOf: (document: string) => string,
  wasCalled = true,
): ClosingMessage | undefined {
  if (state.lease.status === 'refused' && state.error === undefined) return undefined;
  const { incident, outcome, outcomeReason, diagnosis } = state;
  const help = callForHelp(state);
  const staying = [
    ...standingChanges(state.results).map((change) =>
      standingSentence(change, undoByAwsCli(change, nameOf(change.undo.document), incident.instanceId)),
    ),
    ...handOver(state.results, incident.id),
    ...(state.lookAgain === undefined ? [] : [lookAgainSentence(state.lookAgain)]),
  ];
  const told = wasCalled && hasCalled(state);
  // That the producer goes on is what a standing treatment is for, and people know it.
  const expected = isOfStanding(incident.alarm, diagnosis) && outcome === 'relieved';
  const begun = state.rung?.kind === 'standing' && state.treatment?.status === 'done';
  const left = (outcome === 'unresolved' || outcome === 'relieved') && !told && !expected && !begun;
  if (outcome === 'failed' || left) {
    return {
      kind: 'call-a-person',
      incident: incident.id,
      cluster: incident.cluster,
      instanceId: incident.instanceId,
      title: help.title,
      text: [outcomeReason ?? '', ...staying, help.text].join('\n'),
    };
  }
  return {
    kind: 'incident-closed',
    incident: incident.id,
    cluster: incident.cluster,
    instanceId: incident.instanceId,
    title: `${incident.instanceId} in ${incident.cluster}: ${diagnosis?.cause ?? 'no diagnosis'}, ${outcome}`,
    text: [outcomeReason ?? '', ...staying, help.text].join('\n'),
  };
}

/** Whether the ladder has called a person. */
export function hasCalled({ results }: Pick<IncidentState, 'results'>): boolean {
  return results.some(({ treatment, status }) => treatment === 'notify' && status === 'done');
}
