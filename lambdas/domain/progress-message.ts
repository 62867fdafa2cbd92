import { figureWithLimit } from './explanation.ts';
import type { IncidentState } from './incident-state.ts';
import type { Message } from './message.ts';
import { ownerText } from './replacement/act-sentence.ts';
import type { ReplacementState } from './replacement/course-state.ts';
import { differences } from './tried.ts';

type Told = Omit<Message, 'version'>;

/** What a treatment did, for those who follow its incident. Of a cohort the waves are told, and not each node. */
export function treatedMessage({ incident, rung, treatment, cohort }: IncidentState): Told | undefined {
  if (rung === undefined || treatment === undefined || cohort?.many) return undefined;
  const { status, reason, result } = treatment;
  const changes = result === undefined ? '' : differences(result.before, result.after);
  return about(incident, `${rung.treatment} on ${incident.instanceId}: ${status}`, [
    reason,
    ...(changes === '' ? [] : [`counted on the node just before and after: ${changes}`]),
  ]);
}

/** What the looks after a treatment came to, for the same. Nothing before the last of them. */
export function verifiedMessage({ incident, rung, verification, cohort }: IncidentState): Told | undefined {
  if (rung === undefined || verification === undefined || verification.verdict === 'looking' || cohort?.many)
    return undefined;
  const { verdict, provisional, findings, samples } = verification;
  return about(
    incident,
    `${rung.treatment} on ${incident.instanceId}: ${verdict}${provisional ? ', provisional' : ''}`,
    [
      samples.length === 0 ? 'by what its cluster says' : `after ${samples.length} looks`,
      ...findings.map((finding) => `${finding.speaks}: ${figureWithLimit(finding)}`),
    ],
  );
}

/** That a node is empty, and that its owner was asked for another. */
export function handedOverMessage(
  { incident, rung }: Pick<IncidentState, 'incident' | 'rung'>,
  { node, drain, owner }: ReplacementState,
): Told {
  return about(incident, `${rung?.treatment} on ${incident.instanceId}: the node is drained`, [
    `${drain?.evicted ?? 0} pods of the node ${node} were evicted`,
    ...(owner === null ? [] : [`${ownerText(owner)} was asked for another node, and is waited for`]),
  ]);
}

function about({ id, cluster, instanceId }: IncidentState['incident'], title: string, lines: string[]): Told {
  return { kind: 'progress', incident: id, cluster, instanceId, title, text: lines.join('\n') };
}
