import { explanationLines } from './explanation.ts';
import type { IncidentState } from './incident-state.ts';
import { triedLines } from './tried.ts';

/** The message for the person who is called: what is wrong, how we know, what was tried, what we do not know. */
export function callForHelp(state: IncidentState): { title: string; text: string } {
  const { incident, diagnosis, plan, results, leftOut } = state;
  const tried = triedLines(results).map((line) => `  ${line}`);
  return {
    title: `${incident.instanceId} in ${incident.cluster}: ${diagnosis?.cause ?? 'no diagnosis'}, somebody should look`,
    text: [
      ...(diagnosis === undefined ? ['There is no diagnosis.'] : explanationLines(diagnosis, plan, leftOut)),
      tried.length > 0 ? 'Tried:' : 'Nothing was tried.',
      ...tried,
      `Alarm: ${incident.alarm.source} ${incident.alarm.id}, ${incident.alarm.reason ?? 'no reason given'}`,
      `The audit trail of incident ${incident.id} has every step.`,
    ].join('\n'),
  };
}
