import { describe, expect, it } from 'vitest';
import { incidentFigures } from '../../../lambdas/domain/incident-figures.ts';
import type { Outcome, RungResult } from '../../../lambdas/domain/incident-state.ts';
import { openedState } from './sample-state.ts';

const at = (seconds: number) =>
  new Date(Date.parse('2026-11-21T06:00:00.000Z') + seconds * 1000).toISOString();
const rung = (
  treatment: string,
  status: RungResult['status'],
  decision?: 'approved' | 'denied',
): RungResult => ({
  treatment,
  arguments: {},
  risk: 'low',
  status,
  ...(decision === undefined ? {} : { approval: { id: 'x', status: decision } }),
});
const trail = [
  { step: 'incident.opened', at: at(5) },
  { step: 'diagnosed', at: at(40) },
  { step: 'treatment.sent', at: at(90) },
  { step: 'treatment.sent', at: at(300) },
] as const;

function figures({
  outcome = 'cured' as Outcome,
  alarmAt = at(0),
  entries = trail as readonly (typeof trail)[number][],
  results = [] as RungResult[],
} = {}) {
  const state = openedState();
  const incident = { ...state.incident, openedAt: at(5), alarm: { ...state.incident.alarm, at: alarmAt } };
  const diagnosis = { cause: 'dying-memcgs' } as NonNullable<ReturnType<typeof openedState>['diagnosis']>;
  const found = incidentFigures(
    { ...state, incident, results, outcome, diagnosis },
    entries,
    new Date(at(905)),
  );
  return found.map(
    ({ metric, value, dimensions: { Cluster, ...others } }) =>
      `${Cluster} ${[metric, ...Object.values(others)].join(' ')} ${value}`,
  );
}

describe('what a closed incident adds to the metrics', () => {
  it('is how it ended, what it was, what was done and decided, and how long that took from the alarm', () => {
    const results = [
      rung('reclaim', 'done'),
      rung('contain-unit', 'done', 'approved'),
      rung('reclaim', 'done'),
      rung('drop-caches', 'refused', 'denied'),
    ];
    expect(figures({ results })).toEqual([
      'prod Incidents cured 1',
      'prod IncidentSeconds cured 900',
      'prod Diagnoses dying-memcgs 1',
      'prod Treatments reclaim 2',
      'prod Treatments contain-unit 1',
      'prod Approvals approved 1',
      'prod Approvals denied 1',
      'prod SecondsToOpen 5',
      'prod SecondsToDiagnose 40',
      'prod SecondsToTreat 90',
      'prod SecondsToCure 905',
    ]);
  });

  it('has no time to a cure that was none, and none of what did not happen', () => {
    const found = figures({ outcome: 'observed', entries: [trail[0]] });
    expect(found.filter((line) => line.includes('SecondsTo'))).toEqual(['prod SecondsToOpen 5']);
  });

  it.each([at(3600), '1970-01-01T00:00:00.000Z'])(
    'has no time from an alarm whose clock is wrong: %s',
    (alarmAt) => {
      expect(figures({ alarmAt }).filter((line) => line.includes('SecondsTo'))).toEqual([]);
    },
  );
});
