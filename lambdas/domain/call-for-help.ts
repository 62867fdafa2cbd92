import type { IncidentState } from './incident-state.ts';

/** The message for the person who is called: what is wrong, how we know, what was tried, what we do not know. */
export function callForHelp(state: IncidentState): { title: string; text: string } {
  const { incident, diagnosis, results } = state;
  const tried = results.map(
    ({ treatment, status, reason, verification }) =>
      `  ${treatment}: ${verification?.verdict ?? status}${reason === undefined ? '' : ` (${reason})`}`,
  );
  return {
    title: `${incident.instanceId} in ${incident.cluster}: ${diagnosis?.cause ?? 'no diagnosis'}, somebody should look`,
    text: [
      diagnosis?.explanation ?? 'There is no diagnosis.',
      ...(diagnosis?.findings ?? []).map(({ fact, value, threshold, speaks }) => {
        const limit = threshold === undefined ? '' : ` (threshold ${threshold})`;
        return `  ${speaks}: ${fact} ${value}${limit}`;
      }),
      ...(diagnosis?.gaps ?? []).map(({ probe, reason }) => `  not known: ${probe}: ${reason}`),
      tried.length > 0 ? 'Tried:' : 'Nothing was tried.',
      ...tried,
      `Alarm: ${incident.alarm.source} ${incident.alarm.id}, ${incident.alarm.reason ?? 'no reason given'}`,
      `The audit trail of incident ${incident.id} has every step.`,
    ].join('\n'),
  };
}
