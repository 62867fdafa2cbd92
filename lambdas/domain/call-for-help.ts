import { confidences, explanationLines } from './explanation.ts';
import type { IncidentState, RungResult } from './incident-state.ts';

/** The message for the person who is called: what is wrong, how we know, what was tried, what we do not know. */
export function callForHelp(state: IncidentState): { title: string; text: string } {
  const { incident, diagnosis, plan, results, leftOut } = state;
  const tried = results.map(
    ({ treatment, status, reason, verification }) =>
      `  ${treatment}: ${verification?.verdict ?? status}${reason === undefined ? '' : ` (${reason})`}`,
  );
  return {
    title: `${incident.instanceId} in ${incident.cluster}: ${diagnosis?.cause ?? 'no diagnosis'}, somebody should look`,
    text: [
      ...(diagnosis === undefined ? ['There is no diagnosis.'] : explanationLines(diagnosis, plan, leftOut)),
      tried.length > 0 ? 'Tried:' : 'Nothing was tried.',
      ...tried,
      ...foundOnTheWay(results),
      `Alarm: ${incident.alarm.source} ${incident.alarm.id}, ${incident.alarm.reason ?? 'no reason given'}`,
      `The audit trail of incident ${incident.id} has every step.`,
    ].join('\n'),
  };
}

/** What looks after a treatment found that the first diagnosis did not have; nothing was done about it. */
function foundOnTheWay(results: readonly RungResult[]): string[] {
  return results.flatMap(({ treatment, verification }) => {
    const found = verification?.alsoFound ?? [];
    return found.length === 0
      ? []
      : [`Found on the way, after ${treatment}, and not treated: ${confidences(found)}.`];
  });
}
