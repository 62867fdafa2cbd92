import { figureWithLimit } from './explanation.ts';
import type { IncidentState } from './incident-state.ts';
import type { Message } from './message.ts';
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
      `after ${samples.length} looks`,
      ...findings.map((finding) => `${finding.speaks}: ${figureWithLimit(finding)}`),
    ],
  );
}

function about({ id, cluster, instanceId }: IncidentState['incident'], title: string, lines: string[]): Told {
  return { kind: 'progress', incident: id, cluster, instanceId, title, text: lines.join('\n') };
}
