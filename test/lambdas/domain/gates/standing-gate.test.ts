import { describe, expect, it } from 'vitest';
import { modeGate } from '../../../../lambdas/domain/gates/mode-gate.ts';
import { recurrenceGate } from '../../../../lambdas/domain/gates/recurrence-gate.ts';
import { oneOfGroup, standingGate } from '../../../../lambdas/domain/gates/standing-gate.ts';
import { windowGate } from '../../../../lambdas/domain/gates/window-gate.ts';
import { Settings } from '../../../../lambdas/domain/settings.ts';
import type { StandingRead } from '../../../../lambdas/domain/standing/standing.ts';
import { Rung } from '../../../../lambdas/domain/treatments/treatment.ts';
import { samplePast } from '../history/sample-past.ts';
import { from, inDays, sampleStanding } from '../standing/sample-standing.ts';

const rung = Rung.parse({
  treatment: 'reclaim',
  kind: 'document',
  document: 'reclaim',
  arguments: {},
  risk: 'low',
  needs: 'approval',
  reason: 'zombies',
  expects: { text: 'fewer' },
});
const standing = sampleStanding();
const asked = {
  id: standing.id,
  cluster: 'prod',
  nodeGroup: 'workers',
  rung,
  cause: 'session-churn',
  dying: 2000,
  approved: false,
  now: inDays(3),
} as const;
const end = {
  version: 1,
  id: standing.id,
  at: inDays(2).toISOString(),
  by: 'bob',
  reason: 'the cron job is gone',
} as const;

describe('the gate of a standing treatment', () => {
  it('lets what it repeats pass by the approval of the group, and says whose that is', () => {
    const { result, agreed } = standingGate({ standing }, asked);
    expect(result).toMatchObject({ gate: 'standing', decision: 'pass' });
    expect(result.reason).toContain('approved by ana (incident-1-r3-v0)');
    expect(agreed).toEqual({
      id: standing.id,
      by: 'ana',
      approval: 'incident-1-r3-v0',
      until: standing.until,
    });
  });

  const refused: readonly [
    string,
    StandingRead | undefined,
    Partial<Parameters<typeof standingGate>[1]>,
    string,
  ][] = [
    ['there is none', undefined, {}, 'there is no standing treatment'],
    ['it was ended', { standing, end }, {}, 'bob ended it at'],
    ['it has come to its date', { standing }, { now: inDays(14) }, 'it ended at its date'],
    ['it has not begun', { standing }, { now: new Date(from.getTime() - 1) }, 'it begins only at'],
    ['it could not be read', undefined, { problem: 'nobody knows' }, 'could not be read: nobody knows'],
    ['it is another one by now', { standing: sampleStanding({ id: 'later-r1' }) }, {}, 'any more'],
    ['it is of another group', { standing }, { nodeGroup: 'others' }, 'any more'],
    ['the group of the node is not known', { standing }, { nodeGroup: undefined }, 'any more'],
    ['it is of another cluster', { standing }, { cluster: 'test' }, 'any more'],
    ['the node has fewer than was agreed to', { standing }, { dying: 1999 }, 'has 1999 dying cgroups'],
    ['nobody counted them', { standing }, { dying: undefined }, 'has an unknown number'],
  ];
  it.each(refused)('refuses where %s', (_, read, change, reason) => {
    const { result, agreed } = standingGate(read, { ...asked, ...change });
    expect(result).toMatchObject({ decision: 'refuse', reason: expect.stringContaining(reason) });
    expect(agreed).toBeUndefined();
  });

  it('agrees to nothing else than what it repeats, and to nothing that a person approved by itself', () => {
    const other = standingGate({ standing }, { ...asked, rung: { ...rung, treatment: 'drop-caches' } });
    expect(other).toEqual({ result: expect.objectContaining({ decision: 'pass' }) });
    // Of an agent that can be switched off nobody agreed that it is bailed out.
    for (const cause of ['orphaned-agent', undefined] as const) {
      expect(standingGate({ standing }, { ...asked, cause })).toEqual({
        result: expect.objectContaining({ decision: 'pass' }),
      });
    }
    expect(standingGate(undefined, { ...asked, approved: true })).toEqual({
      result: expect.objectContaining({ decision: 'pass' }),
    });
  });
});

describe('what was agreed to for a group', () => {
  const { agreed } = standingGate({ standing }, asked);

  it('takes the place of a question, in mode approve as in auto, and of nothing stricter', () => {
    expect(modeGate('approve', rung, false, agreed)).toMatchObject({
      decision: 'pass',
      reason: 'ana approved it for the group of this node (incident-1-r3-v0)',
    });
    expect(modeGate('auto', rung, false, agreed).decision).toBe('pass');
    expect(modeGate('approve', rung, false).decision).toBe('ask');
    expect(modeGate('observe', rung, false, agreed).decision).toBe('observe');
    expect(modeGate('approve', { ...rung, needs: 'never' }, false, agreed).decision).toBe('skip');
    expect(modeGate(undefined, rung, false, agreed).decision).toBe('refuse');
  });

  it('knows that the node was treated before', () => {
    const settings = Settings.parse({ clusters: { prod: { gates: { recurrence: { perNode: 1 } } } } });
    const recurrence = settings.clusters.prod?.gates.recurrence;
    if (recurrence === undefined) throw new Error('no settings');
    const history = { days: 7, node: [samplePast()], image: { id: 'ami-1', pasts: [] } };
    const of = (by: typeof agreed) =>
      recurrenceGate(history, { rung, settings: recurrence, approved: false, agreed: by });
    expect(of(undefined).decision).toBe('ask');
    expect(of(agreed)).toMatchObject({
      decision: 'pass',
      reason: expect.stringContaining('again and again'),
    });
    expect(recurrenceGate(undefined, { rung, settings: recurrence, approved: false, agreed }).decision).toBe(
      'refuse',
    );
  });

  it('is asked for without a window, for it changes no node', () => {
    const windows = {
      open: [{ days: ['FRI' as const], start: '22:00', end: '23:00', timeZone: 'Etc/UTC' }],
      fromRisk: 'medium' as const,
      waitMinutes: 0,
    };
    const at = { now: inDays(1), approved: false };
    expect(windowGate(windows, { rung: { kind: 'standing', risk: 'medium' }, ...at }).decision).toBe('pass');
    expect(windowGate(windows, { rung: { kind: 'document', risk: 'medium' }, ...at }).decision).toBe('skip');
  });
});

describe('another standing treatment of a group', () => {
  it('is passed over while one holds, and asked about once that is over', () => {
    expect(oneOfGroup({ standing }, inDays(3))).toMatchObject({
      decision: 'skip',
      reason: expect.stringContaining('approved by ana'),
    });
    expect(oneOfGroup({ standing, end }, inDays(3)).decision).toBe('pass');
    expect(oneOfGroup(undefined, inDays(3)).decision).toBe('pass');
    expect(oneOfGroup(undefined, inDays(3), 'the table is away').decision).toBe('refuse');
  });
});

describe('the gate of a standing restart', () => {
  const restart = sampleStanding({ treatment: 'standing-restart', cause: 'kubelet-leak', threshold: 2048 });
  const rungOfIt = { ...rung, treatment: 'restart-kubelet' as const };
  const about = {
    ...asked,
    id: restart.id,
    rung: rungOfIt,
    cause: 'kubelet-leak' as const,
    dying: undefined,
    whyNoRestart: () => undefined,
  };

  it('lets a restart pass whose turn it is, by the approval of the group', () => {
    expect(standingGate({ standing: restart }, about)).toMatchObject({
      result: { decision: 'pass' },
      agreed: { by: 'ana', approval: 'incident-1-r3-v0' },
    });
  });

  it('refuses where it is not, and where nobody says', () => {
    const later = standingGate({ standing: restart }, { ...about, whyNoRestart: () => 'no window is open' });
    expect(later).toEqual({ result: { gate: 'standing', decision: 'refuse', reason: 'no window is open' } });
    const { whyNoRestart: _, ...nobody } = about;
    expect(standingGate({ standing: restart }, nobody).result).toMatchObject({
      decision: 'refuse',
      reason: expect.stringContaining('nobody says'),
    });
  });

  it('speaks of no restart of a kubelet that was killed, and of no reclaim', () => {
    const killed = standingGate({ standing: restart }, { ...about, cause: 'kubelet-oom-cycle' });
    expect(killed).toEqual({ result: expect.objectContaining({ decision: 'pass' }) });
    const reclaim = standingGate({ standing: restart }, { ...about, rung });
    expect(reclaim.result.decision).toBe('refuse');
    expect(reclaim.agreed).toBeUndefined();
  });

  it('asks what was agreed to', () => {
    const seen: number[] = [];
    standingGate(
      { standing: restart },
      {
        ...about,
        whyNoRestart: ({ threshold }) => {
          seen.push(threshold);
          return undefined;
        },
      },
    );
    expect(seen).toEqual([2048]);
  });
});
