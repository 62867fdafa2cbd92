import { describe, expect, it } from 'vitest';
import type { CauseId } from '../../../../lambdas/domain/causes/cause-id.ts';
import { withStandingNode, worstToRaise } from '../../../../lambdas/domain/census/standing-seen.ts';
import type { RungResult } from '../../../../lambdas/domain/incident-state.ts';
import { helpedOf } from '../../../../lambdas/domain/standing/act.ts';
import { standingOf } from '../../../../lambdas/domain/standing/begin.ts';
import { planOfStanding } from '../../../../lambdas/domain/standing/plan-of-standing.ts';
import { Rung } from '../../../../lambdas/domain/treatments/treatment.ts';
import { cgroups, evidenceWith, missing } from '../sample-evidence.ts';
import { openedState } from '../sample-state.ts';
import { inDays, sampleStanding } from './sample-standing.ts';

const rungOf = (treatment: string, more: object = {}) =>
  Rung.parse({
    treatment,
    kind: 'document',
    arguments: {},
    risk: 'low',
    needs: 'auto',
    reason: '',
    expects: { text: 'fewer' },
    ...more,
  });

describe('what an approval of a group begins', () => {
  const args = { nodeGroup: 'workers', threshold: '2000', days: '14' };
  const rung = rungOf('standing-reclaim', { kind: 'standing', risk: 'medium', arguments: args });
  const opened = openedState({ rung, ladder: { index: 3, status: 'rung' } });
  const state = {
    ...opened,
    incident: { ...opened.incident, nodeGroup: 'workers' },
    diagnosis: { cause: 'session-churn' } as never,
  };

  it('is for the group of the node, until its date, by whoever approved it', () => {
    const approval = { id: 'inc-r3-v0', decision: 'approved', by: 'ana' } as never;
    expect(standingOf({ ...state, approval }, inDays(0))).toEqual({
      ...sampleStanding(),
      id: 'inc-r3',
      incident: 'inc',
      approvedBy: 'ana',
      approval: 'inc-r3-v0',
    });
  });

  it('names all who had to approve, however long their names are', () => {
    const by = ['A', 'B', 'C'].map((name) => `arn:aws:iam::123456789012:role/${name.repeat(120)}`).join(', ');
    const approval = { id: 'inc-r3-v0', decision: 'approved', by } as never;
    expect(standingOf({ ...state, approval }, inDays(0)).approvedBy).toBe(by);
  });

  it('is nothing without a person: a policy is not enough', () => {
    const denied = { id: 'inc-r3-v0', decision: 'denied', by: 'ana' } as never;
    for (const given of [state, { ...state, approval: denied }]) {
      expect(() => standingOf(given, inDays(0))).toThrow(
        'no person has approved standing-reclaim of group workers',
      );
    }
  });

  it('is nothing where the rung is about another group than that of the node', () => {
    const elsewhere = { ...state, incident: { ...state.incident, nodeGroup: 'others' } };
    expect(() => standingOf(elsewhere, inDays(0))).toThrow('the rung is about group workers');
    expect(() => standingOf(opened, inDays(0))).toThrow('the node is one of undefined');
  });
});

describe('an incident of a standing treatment', () => {
  const ladder = ['reclaim', 'contain-sessions', 'drop-caches', 'notify'].map((id) => rungOf(id));

  it('does what that repeats, and nothing heavier; where the node is ill in another way, it is like any other', () => {
    const names = (plan: Rung[], standing?: string, cause: CauseId = 'session-churn') =>
      planOfStanding(plan, standing === undefined ? {} : { standing }, { cause }).map(
        ({ treatment }) => treatment,
      );
    expect(names(ladder, 'inc-1-r3')).toEqual(['reclaim']);
    expect(names(ladder)).toEqual(['reclaim', 'contain-sessions', 'drop-caches', 'notify']);
    // Reclaim is on this ladder as well; what cures the node comes after it.
    expect(names(ladder, 'inc-1-r3', 'orphaned-agent')).toEqual(names(ladder));
    expect(names(ladder.slice(1), 'inc-1-r3')).toEqual(['contain-sessions', 'drop-caches', 'notify']);
  });

  it('counts as helped or not, and as nothing where nothing was done', () => {
    const result = (status: RungResult['status'], verdict?: 'cured' | 'relieved' | 'not-cured') =>
      ({
        treatment: 'reclaim',
        arguments: {},
        risk: 'low',
        status,
        ...(verdict === undefined ? {} : { verification: { verdict } }),
      }) as RungResult;
    expect(helpedOf({ results: [result('done', 'cured')] })).toBe(true);
    expect(helpedOf({ results: [result('done', 'relieved')] })).toBe(true);
    expect(helpedOf({ results: [result('done', 'not-cured')] })).toBe(false);
    expect(helpedOf({ results: [result('failed')] })).toBe(false);
    // One that helped is enough, as for the breaker.
    expect(helpedOf({ results: [result('done', 'not-cured'), result('done', 'cured')] })).toBe(true);
    expect(helpedOf({ results: [result('refused'), result('not-started')] })).toBeUndefined();
  });
});

describe('what a run of the census sees of a group', () => {
  const nodeOf = (index: number) => `i-${String(index).padStart(17, '0')}`;

  it('are the nodes that told, how many are over the threshold, and the worst of them', () => {
    const look = { id: 'a', threshold: 2000 };
    let seen = withStandingNode([], look, nodeOf(0), evidenceWith({ cgroups: missing }));
    expect(seen).toEqual([]);
    for (let index = 1; index <= 120; index += 1) {
      seen = withStandingNode(
        seen,
        look,
        nodeOf(index),
        evidenceWith({ cgroups: cgroups(100, 1940 + index) }),
      );
    }
    const [group, ...more] = withStandingNode(seen, { id: 'b', threshold: 1 }, nodeOf(200), evidenceWith());
    expect(more).toHaveLength(1);
    expect(group).toMatchObject({ id: 'a', looks: 120, over: 61, max: 2060 });
    expect(group?.worst).toHaveLength(50);
    expect(group?.worst[0]).toEqual({ instanceId: nodeOf(120), dying: 2060 });
  });

  it('leave to the census whoever is ill in another way, so that nobody is raised twice by one look', () => {
    const worst = [1, 2, 3].map((index) => ({ instanceId: nodeOf(index), dying: 3000 - index }));
    const candidate = (index: number, cause: CauseId) =>
      ({ instanceId: nodeOf(index), cause, confidence: 0.9, dying: 3000 - index }) as const;
    const candidates = [candidate(1, 'memcg-id-exhaustion'), candidate(2, 'dying-memcgs')];
    expect(worstToRaise(worst, candidates, 'standing-reclaim').map(({ instanceId }) => instanceId)).toEqual([
      nodeOf(2),
      nodeOf(3),
    ]);
  });
});
