import { describe, expect, it } from 'vitest';
import type { RungResult } from '../../../lambdas/domain/incident-state.ts';
import { standingChanges, standingSentence } from '../../../lambdas/domain/standing-changes.ts';

const undo = { document: 'release-sessions', arguments: { incident: 'inc', dryRun: 'false' } };
const verification = { cured: true, verdict: 'cured' as const, findings: [], samples: [] };
const helped: RungResult = {
  treatment: 'contain-sessions',
  arguments: {},
  risk: 'medium',
  status: 'done',
  result: { changed: true, before: {}, after: {}, undo },
  verification,
};

describe('standingChanges', () => {
  it('lists what helped and can be taken back', () => {
    expect(standingChanges([helped])).toEqual([{ treatment: 'contain-sessions', undo }]);
    expect(
      standingChanges([{ ...helped, verification: { ...verification, verdict: 'relieved' } }]),
    ).toHaveLength(1);
  });

  it.each<[string, Partial<RungResult>]>([
    ['did not help', { verification: { ...verification, verdict: 'not-cured' } }],
    ['was undone', { undo: { status: 'done', reason: 'taken back' } }],
    ['changed nothing that stays', { result: { changed: true, before: {}, after: {} } }],
  ])('does not list what %s', (_, change) => {
    expect(standingChanges([{ ...helped, ...change }])).toEqual([]);
  });

  it('says how it is taken back', () => {
    expect(standingSentence({ treatment: 'contain-sessions', undo })).toBe(
      'contain-sessions stays on the node. The SSM document release-sessions takes it back: incident=inc dryRun=false',
    );
  });
});
