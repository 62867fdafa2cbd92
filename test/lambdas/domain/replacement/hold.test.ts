import { describe, expect, it } from 'vitest';
import {
  afterLook,
  type Hold,
  type NodeCondition,
  notHeld,
  toHold,
} from '../../../../lambdas/domain/replacement/hold.ts';

const began = Date.parse('2026-11-28T12:00:00Z');
const before = '2026-11-28T11:58:00Z';
const startedAt = '2026-11-28T11:59:30Z';
const seen = (change: Partial<NodeCondition> = {}): NodeCondition => ({
  node: 'node-1',
  cordon: 'none',
  ready: true,
  heartbeat: before,
  says: 'Ready is True: KubeletReady',
  ...change,
});
const held: Hold = { ...notHeld('refused', '', 'node-1'), at: 'held', ours: true, heartbeat: before };

describe('a node that is to be held', () => {
  it.each(['none', 'ours'] as const)(
    'is cordoned where its cordon is %s, and remembers what its kubelet said last',
    (cordon) => {
      expect(toHold(seen({ cordon }), false)).toEqual({
        cordon: expect.objectContaining({
          at: 'held',
          node: 'node-1',
          ours: true,
          heartbeat: before,
          lifted: false,
        }),
      });
    },
  );

  it.each(['foreign', 'another'] as const)(
    'is held as it is where it is that of %s, and not to be taken back',
    (cordon) => {
      expect(toHold(seen({ cordon }), false)).toEqual({
        asItIs: expect.objectContaining({ at: 'held', ours: false }),
      });
      expect(toHold(seen({ cordon }), true)).toEqual({
        refused: expect.stringContaining('has cordoned the node node-1'),
      });
    },
  );

  it('is left alone where somebody has uncordoned it since, or where there is none', () => {
    expect(toHold(seen({ cordon: 'lifted' }), false)).toHaveProperty('refused');
    expect(toHold(null, false)).toHaveProperty('refused');
  });
});

describe('after a treatment', () => {
  const look = (
    hold: Hold,
    what: Parameters<typeof afterLook>[1],
    seconds: number,
    how: { treated?: boolean; startedAt?: string | null } = {},
  ) =>
    afterLook(hold, what, {
      treated: true,
      startedAt,
      ...how,
      now: new Date(began + seconds * 1000),
      settleSeconds: 120,
      lookSeconds: 5,
    });
  const well = seen({ heartbeat: '2026-11-28T11:59:40Z' });

  it('a node has settled at the second look in a row that finds it Ready, by a newer word', () => {
    const once = look(held, well, 0);
    expect(once).toMatchObject({ at: 'settling', ready: 1, waitSeconds: 5 });
    expect(look(once, well, 5)).toMatchObject({ at: 'over', settled: true });
  });

  it.each<[string, Parameters<typeof afterLook>[1]]>([
    ['not Ready', { ...well, ready: false }],
    ['Ready by what the kubelet had said before', seen()],
    [
      'Ready by what the old kubelet said between the cordon and the restart',
      { ...well, heartbeat: '2026-11-28T11:59:29Z' },
    ],
    [
      'Ready by a word of the second of the restart, which may be of either',
      { ...well, heartbeat: startedAt },
    ],
    ['Ready by a word whose time cannot be read', { ...well, heartbeat: 'just now' }],
    ['Ready by nobody knows when', { ...well, heartbeat: null }],
    ['not to be read', { gap: 'no answer' }],
    ['gone', null],
  ])('one that is %s at a look begins anew, and has not settled when its time is over', (_, what) => {
    const once = look(held, well, 0);
    const again = look(once, what, 5);
    expect(again).toMatchObject({ at: 'settling', ready: 0 });
    expect(look(again, what, 119)).toMatchObject({ at: 'settling' });
    expect(look(again, what, 120)).toMatchObject({
      at: 'over',
      settled: false,
      says: expect.stringContaining('was not Ready within 120 s'),
    });
  });

  it.each([null, 'soon'])(
    'that does not say when it has started the kubelet (%s) nothing counts as new',
    (when) => {
      const once = look(held, well, 0, { startedAt: when });
      expect(once).toMatchObject({ at: 'settling', ready: 0 });
      expect(look(once, well, 120, { startedAt: when })).toMatchObject({ at: 'over', settled: false });
    },
  );

  it('that did not come to its end nothing is waited for', () => {
    expect(look(held, well, 0, { treated: false })).toMatchObject({ at: 'over', settled: null });
  });
});
