import { describe, expect, it } from 'vitest';
import { historyLines, imageWarning } from '../../../../lambdas/domain/history/history-lines.ts';
import { inTime, pastOf } from '../../../../lambdas/domain/history/past.ts';
import type { IncidentState } from '../../../../lambdas/domain/incident-state.ts';
import { openedState } from '../sample-state.ts';
import { samplePast } from './sample-past.ts';

const rung = { arguments: {}, risk: 'low' };
const result = (changed: boolean) => ({ changed, before: {}, after: {} });
const closed: Partial<IncidentState> = { outcome: 'cured', closedAt: '2026-11-21T06:10:00.000Z' };

describe('what is remembered of an incident', () => {
  it('is what was done to the node, and what came of it', () => {
    const state = openedState({
      ...closed,
      results: [
        { ...rung, treatment: 'enable-linger', status: 'skipped' },
        { ...rung, treatment: 'restart-logind', status: 'done', result: result(false) },
        { ...rung, treatment: 'contain-unit', status: 'failed' },
        {
          ...rung,
          treatment: 'reclaim',
          status: 'done',
          result: result(true),
          verification: { cured: true, verdict: 'cured', findings: [], samples: [] },
        },
      ],
    });

    expect(pastOf(state)).toMatchObject({
      incident: 'inc',
      imageId: null,
      cause: null,
      outcome: 'cured',
      done: [
        { treatment: 'contain-unit', came: 'failed' },
        { treatment: 'reclaim', came: 'cured' },
      ],
    });
  });

  it('is nothing where it never had the node, or has not ended', () => {
    const refused = { status: 'refused', fencing: null, reason: '' } as const;
    expect(pastOf(openedState({ ...closed, lease: refused }))).toBeUndefined();
    expect(pastOf(openedState())).toBeUndefined();
  });
});

describe('incidents of the past', () => {
  it('are told once each, as they were written last, the oldest first', () => {
    const [late, early] = ['2026-11-20T05:00:00.000Z', '2026-11-20T01:00:00.000Z'];
    const again = samplePast({ closedAt: late, outcome: 'failed' });

    expect(inTime([again, samplePast({ incident: 'inc-0', closedAt: early }), samplePast()])).toEqual([
      samplePast({ incident: 'inc-0', closedAt: early }),
      again,
    ]);
  });

  it('of a node are told with what was done and what came of it, of an image by how they ended', () => {
    const other = samplePast({
      incident: 'inc-2',
      instanceId: 'i-0fedcba9876543210',
      outcome: 'unresolved',
      done: [],
    });
    const lines = historyLines({
      days: 7,
      node: [samplePast()],
      image: { id: 'ami-0123456789abcdef0', pasts: [samplePast(), other] },
    });

    expect(lines).toEqual([
      'This node: 1 incident in the last 7 days.',
      '2026-11-20T03:12Z dying-memcgs: reclaim (cured); ended as cured',
      'Its machine image ami-0123456789abcdef0: 2 incidents on 2 nodes in the last 7 days, which ended as cured 1, unresolved 1. What was done: reclaim cured 1.',
    ]);
  });

  it('that do not exist are said not to, and an image that is not known as well', () => {
    expect(historyLines({ days: 1, node: [], image: null })).toEqual([
      'This node: no incident in the last 1 day.',
      'Its machine image is not known.',
    ]);
    expect(historyLines({ days: 7, node: [], image: { id: 'ami-1', pasts: [] } })).toContain(
      'Its machine image ami-1: no incident in the last 7 days.',
    );
  });

  it('of other nodes of the image are a warning before this node is replaced by one of the same', () => {
    const instanceId = 'i-0123456789abcdef0';
    const other = (index: number, done = samplePast().done) =>
      samplePast({ incident: `inc-${index}`, instanceId: `i-0000000000000000${index}`, done });
    const warned = (...pasts: ReturnType<typeof samplePast>[]) =>
      imageWarning({ days: 7, node: [], image: { id: 'ami-1', pasts } }, instanceId);

    expect(warned(other(1), other(2), other(2), samplePast())).toEqual([
      expect.stringMatching(
        /same image ami-1, on which 2 other nodes were treated in the last 7 days: it will leak again/,
      ),
    ]);
    // This node alone, and one that was only looked at, say nothing of the image.
    expect(warned(samplePast(), other(1, []))).toEqual([]);
    expect(imageWarning({ days: 7, node: [], image: null }, instanceId)).toEqual([]);
  });

  it('of a node that was ill every hour are the last five, and how many there were', () => {
    const node = Array.from({ length: 40 }, (_, index) => samplePast({ incident: `inc-${index}` }));

    expect(historyLines({ days: 7, node, image: null })).toHaveLength(7);
    expect(historyLines({ days: 7, node, image: null })[0]).toBe(
      'This node: 40 incidents in the last 7 days.',
    );
  });
});
