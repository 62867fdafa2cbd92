import { describe, expect, it } from 'vitest';
import { Settings } from '../../../../lambdas/domain/settings.ts';
import { standingReclaim } from '../../../../lambdas/domain/treatments/standing-reclaim.ts';
import type { GroupKnown } from '../../../../lambdas/domain/treatments/treatment.ts';
import { samplePast } from '../history/sample-past.ts';

const cluster = Settings.parse({ clusters: { prod: {} } }).clusters.prod;
if (cluster === undefined) throw new Error('no settings');
const diagnosis = { cause: 'dying-memcgs' as const, findings: [] };
const cures = (count: number, change: Parameters<typeof samplePast>[0] = {}) =>
  Array.from({ length: count }, (_, index) => samplePast({ incident: `inc-${index}`, ...change }));
const group = (change: Partial<Exclude<GroupKnown, { gap: string }>> = {}): GroupKnown => ({
  nodeGroup: 'workers',
  pasts: cures(3),
  days: 7,
  standing: undefined,
  ...change,
});
const propose = (known: GroupKnown | undefined, settings = cluster) =>
  standingReclaim.propose(undefined, settings, diagnosis, known);

describe('a standing reclaim', () => {
  it('is offered for a group in which reclaim has helped against the same cause three times', () => {
    expect(propose(group())).toMatchObject({
      arguments: { nodeGroup: 'workers', threshold: '2000', days: '14' },
      reason: expect.stringContaining(
        'reclaim has helped against dying-memcgs in group workers 3 times in the last 7 days, on 1 node',
      ),
    });
  });

  it('is offered where reclaim has relieved them, for what goes on is never cured', () => {
    const pasts = cures(3, { done: [{ treatment: 'reclaim', came: 'relieved' }] });
    expect(propose(group({ pasts }))).toMatchObject({ arguments: { nodeGroup: 'workers' } });
  });

  it.each([
    ['fewer were cured', group({ pasts: cures(2) }), '2 times in 7 days, and it is offered from 3 on'],
    ['they were of another cause', group({ pasts: cures(3, { cause: 'agent-leak' }) }), '0 times'],
    [
      'reclaim did not help them',
      group({ pasts: cures(3, { done: [{ treatment: 'reclaim', came: 'not-cured' }] }) }),
      '0 times',
    ],
    [
      'something else cured them',
      group({ pasts: cures(3, { done: [{ treatment: 'drop-caches', came: 'cured' }] }) }),
      '0 times',
    ],
    ['there is one already', group({ standing: 'that of ana' }), 'there is one already: that of ana'],
    ['nobody knows the group', group({ nodeGroup: 'unknown' }), 'name no group'],
    ['the table does not answer', { gap: 'the table is away' }, 'the table is away'],
    ['nothing was asked', undefined, 'not known here'],
  ] as const)('is not offered where %s', (_, known, why) => {
    expect(propose(known)).toEqual({ nothing: expect.stringContaining(why) });
  });

  it('is not offered where no census would do it', () => {
    for (const census of [{ enabled: false }, { raiseAtMost: 0 }]) {
      const settings = { ...cluster, census: { ...cluster.census, ...census } };
      expect(propose(group(), settings)).toEqual({ nothing: expect.stringContaining('raise nothing') });
    }
  });
});
