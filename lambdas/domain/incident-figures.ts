import type { AuditEntry, AuditStep } from './audit/entry.ts';
import type { IncidentState, Outcome } from './incident-state.ts';

/** One value of one metric; `Cluster` is among its dimensions always, and what stands beside it comes from a short list. */
export type Figure = {
  metric: string;
  unit: 'Count' | 'Seconds';
  value: number;
  dimensions: Readonly<Record<string, string>>;
};

/** A wrong clock of the alarm's source must not make a time of years, or one below zero. */
const longestSeconds = 7 * 24 * 3600;

/**
 * What a closed incident adds to the fleet's metrics: how it ended, what it was, what was done, what people decided, and how
 * long each of that took from the alarm. Per cluster at most: 9 outcomes twice, 15 causes, 11 treatments, 5 decisions and 4 times.
 *
 * @param closed the state with its outcome
 * @param trail its audit entries, whose times these are
 */
export function incidentFigures(
  closed: Pick<IncidentState, 'incident' | 'diagnosis' | 'results'> & { outcome: Outcome },
  trail: readonly Pick<AuditEntry, 'step' | 'at'>[],
  closedAt: Date,
): Figure[] {
  const { incident, diagnosis, results, outcome } = closed;
  const Cluster = incident.cluster;
  const count = (metric: string, dimensions: Record<string, string>, value = 1): Figure => ({
    metric,
    unit: 'Count',
    value,
    dimensions: { Cluster, ...dimensions },
  });
  const took = (metric: string, from: string, to: string | undefined): Figure[] => {
    const seconds = to === undefined ? Number.NaN : (Date.parse(to) - Date.parse(from)) / 1000;
    return seconds >= 0 && seconds <= longestSeconds
      ? [{ metric, unit: 'Seconds', value: seconds, dimensions: { Cluster } }]
      : [];
  };
  const first = (step: AuditStep): string | undefined => trail.find((entry) => entry.step === step)?.at;
  const alarmAt = incident.alarm.at;
  const closedAtText = closedAt.toISOString();

  const done = results.filter(({ status }) => status === 'done');
  const decisions = results.flatMap(({ approval }) => (approval === undefined ? [] : [approval.status]));
  return [
    count('Incidents', { Outcome: outcome }),
    ...took('IncidentSeconds', incident.openedAt, closedAtText).map((figure) => ({
      ...figure,
      dimensions: { Cluster, Outcome: outcome },
    })),
    ...(diagnosis === undefined ? [] : [count('Diagnoses', { Cause: diagnosis.cause })]),
    ...tally(done.map(({ treatment }) => treatment)).map(([Treatment, value]) =>
      count('Treatments', { Treatment }, value),
    ),
    ...tally(decisions).map(([Decision, value]) => count('Approvals', { Decision }, value)),
    ...took('SecondsToOpen', alarmAt, incident.openedAt),
    ...took('SecondsToDiagnose', alarmAt, first('diagnosed')),
    ...took('SecondsToTreat', alarmAt, first('treatment.sent')),
    ...(outcome === 'cured' ? took('SecondsToCure', alarmAt, closedAtText) : []),
  ];
}

function tally(names: readonly string[]): [string, number][] {
  return [...new Set(names)].map((name) => [name, names.filter((other) => other === name).length]);
}
