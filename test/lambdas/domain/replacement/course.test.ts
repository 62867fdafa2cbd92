import { describe, expect, it } from 'vitest';
import { isOfUse, newcomers } from '../../../../lambdas/domain/replacement/arrival.ts';
import {
  afterAct,
  type Happened,
  handOverOf,
  mostFailures,
  startReplacement,
  stopReplacement,
} from '../../../../lambdas/domain/replacement/course.ts';
import type { ReplacementState } from '../../../../lambdas/domain/replacement/course-state.ts';
import { startDrain } from '../../../../lambdas/domain/replacement/drain.ts';
import type { Owner } from '../../../../lambdas/domain/replacement/owner.ts';
import { Replacement } from '../../../../lambdas/domain/settings/replacement.ts';
import { aNode, aPod, instanceId } from './objects.ts';

const settings = Replacement.parse({});
const start = new Date('2026-11-28T06:30:00Z');
const group: Owner = { kind: 'managed-node-group', nodeGroup: 'web', group: 'eks-web' };
const karpenter: Owner = { kind: 'karpenter', nodeClaim: 'default-x' };

const examined = (change: object = {}): Happened => ({
  of: 'examine',
  node: { name: 'n', owner: group, cordon: 'none', ...change },
});
const changed = (
  of: 'cordon' | 'uncordon' | 'hand-over',
  is: 'done' | 'already' | 'gone' | 'refused' = 'done',
): Happened => ({
  of,
  changed: { is, says: `it is ${is}` },
});
const drain = startDrain({ cordonedByUs: true, drainMinutes: 15 }, start);
const empty: Happened = {
  of: 'drain',
  state: { ...drain, end: { is: 'done' } },
  next: { do: 'end', end: { is: 'done' } },
};
const failure: Happened = { of: 'failure', says: 'it took too long' };
const arrive = (oldGone: boolean, ready?: boolean): Happened => ({
  of: 'arrive',
  seen: { oldGone, arrived: ready === undefined ? null : { node: 'new', ready } },
});

const stateAfter = (happened: readonly Happened[], minutes = 0): ReplacementState =>
  happened.reduce(
    (state, one) => afterAct(state, one, { settings, now: new Date(start.getTime() + minutes * 60_000) }),
    startReplacement(instanceId),
  );
const cordoned = [examined(), changed('cordon')];
const handedOver = [...cordoned, empty, changed('hand-over')];

describe('a replacement that must not go on', () => {
  it('ends as refused, and takes its cordon back where it may have made one', () => {
    expect(stopReplacement(stateAfter([]), 'a veto')).toMatchObject({
      at: 'over',
      end: { is: 'refused', says: 'a veto', cordonLeft: false },
    });
    for (const state of [stateAfter(cordoned), stateAfter([...cordoned, empty])]) {
      expect(stopReplacement(state, 'a veto')).toMatchObject({ at: 'uncordon', end: { is: 'refused' } });
    }
    expect(stopReplacement(stateAfter([examined(), failure]), 'a veto').at).toBe('uncordon');
  });

  it('goes on where its owner was told already, and where it has ended', () => {
    const over = stateAfter([...handedOver, arrive(true, true)]);
    for (const state of [stateAfter(handedOver), over]) expect(stopReplacement(state, 'a veto')).toBe(state);
  });
});

describe('the course of a replacement', () => {
  it('is examined, cordoned, drained, handed over, and over when a new node is of use', () => {
    expect(stateAfter([]).at).toBe('examine');
    expect(stateAfter([examined()]).at).toBe('cordon');
    expect(stateAfter(cordoned)).toMatchObject({
      at: 'drain',
      cordon: 'ours',
      drain: { deadline: '2026-11-28T06:45:00.000Z' },
    });
    const pods = [{ namespace: 'a', name: 'b', uid: 'c' }];
    const evicting: Happened = { of: 'drain', state: drain, next: { do: 'evict', pods, thenSeconds: 7 } };
    expect(stateAfter([...cordoned, evicting])).toMatchObject({ at: 'evict', evict: pods, waitSeconds: 0 });
    const answers = [{ pod: pods[0] as (typeof pods)[0], answer: { is: 'going' as const } }];
    expect(stateAfter([...cordoned, evicting, { of: 'evict', answers }])).toMatchObject({
      at: 'drain',
      evict: [],
      answers,
      waitSeconds: 7,
    });
    expect(stateAfter([...cordoned, empty]).at).toBe('hand-over');
    expect(stateAfter(handedOver)).toMatchObject({ at: 'arrive', handedOverAt: start.toISOString() });
    expect(stateAfter([...handedOver, arrive(true, true)])).toMatchObject({
      at: 'over',
      end: { is: 'replaced', says: 'new is Ready, and runs pods', cordonLeft: false },
    });
  });

  it.each([
    ['neither', arrive(false)],
    ['no new node', arrive(true)],
    ['a new node that is of no use yet', arrive(true, false)],
    ['a new node, and the old one still', arrive(false, true)],
  ])('waits for the new node while there is %s, and ends with that after a time', (_, seen) => {
    expect(stateAfter([...handedOver, seen], 19)).toMatchObject({ at: 'arrive', waitSeconds: 20 });
    const late = afterAct(stateAfter(handedOver), seen, {
      settings,
      now: new Date(start.getTime() + 20 * 60_000),
    });
    expect(late).toMatchObject({
      at: 'over',
      end: { is: 'failed', says: expect.stringMatching(/^after 20 min there is /) },
    });
  });

  it('ends with its cordon, and says what to do about it, where the old node does not go', () => {
    const late = (seen: Happened) =>
      afterAct(stateAfter(handedOver), seen, { settings, now: new Date(start.getTime() + 20 * 60_000) });
    const takeBack = 'kubectl uncordon n && kubectl annotate node n cgroup-medic/cordoned-by-';
    for (const seen of [arrive(false), arrive(false, true), failure]) {
      expect(late(seen)).toMatchObject({
        at: 'over',
        end: { is: 'failed', cordonLeft: true, says: expect.stringContaining(takeBack) },
      });
    }
    expect(late(arrive(true))).toMatchObject({ at: 'over', end: { is: 'failed', cordonLeft: false } });
    expect(late(arrive(true)).end?.says).not.toContain('uncordon');
  });

  it('of a node of Karpenter is over when the old one has gone: what comes instead is for Karpenter to say', () => {
    const course = [examined({ owner: karpenter }), ...handedOver.slice(1)];
    expect(stateAfter([...course, arrive(false)])).toMatchObject({ at: 'arrive' });
    expect(stateAfter([...course, arrive(true)])).toMatchObject({ at: 'over', end: { is: 'replaced' } });
  });

  it.each([
    ['no node is the instance', { of: 'examine', node: null } as Happened, 'gone'],
    ['something speaks against it', examined({ whyNot: 'it is young' }), 'refused'],
    ['nobody owns it', examined({ owner: { kind: 'unknown', why: 'x' } }), 'refused'],
    ['another incident has cordoned it', examined({ cordon: 'another' }), 'refused'],
    ['somebody has cordoned it', examined({ cordon: 'foreign' }), 'refused'],
  ])('is over before anything is done where %s', (_, happened, is) => {
    expect(stateAfter([happened])).toMatchObject({
      at: 'over',
      cordon: 'no',
      end: { is, cordonLeft: false },
    });
  });

  it('goes on with a cordon of an attempt that has died, and takes it back where something speaks against it by now', () => {
    expect(stateAfter([examined({ cordon: 'ours' })])).toMatchObject({ at: 'drain', cordon: 'ours' });
    expect(stateAfter([examined({ cordon: 'ours', whyNot: 'x' })])).toMatchObject({
      at: 'uncordon',
      end: { is: 'refused' },
    });
    expect(stateAfter([examined({ cordon: 'lifted' })])).toMatchObject({
      at: 'uncordon',
      end: { is: 'refused' },
    });
  });

  it('that may have been begun before says that its cordon may be left where the node cannot be examined', () => {
    const last = Array(mostFailures)
      .fill(failure)
      .reduce(
        (state, one) => afterAct(state, one, { settings, now: start }),
        startReplacement(instanceId, true),
      );
    expect(last).toMatchObject({ at: 'over', end: { is: 'failed', cordonLeft: true } });
    const known = afterAct(startReplacement(instanceId, true), examined({ whyNot: 'x' }), {
      settings,
      now: start,
    });
    expect(known).toMatchObject({ at: 'over', end: { cordonLeft: false } });
  });

  it('takes its cordon back where the drain is given up, with the report', () => {
    const report = { why: 'w', budgets: ['shop/web'], pods: [], morePods: 0, evicted: 1 };
    const end = { is: 'gave-up' as const, uncordon: true, report };
    const given = stateAfter([
      ...cordoned,
      { of: 'drain', state: { ...drain, end }, next: { do: 'end', end } },
    ]);
    expect(given).toMatchObject({
      at: 'uncordon',
      end: { is: 'not-drained', says: 'w', report, cordonLeft: true },
    });
    const last = afterAct(given, changed('uncordon'), { settings, now: start });
    expect(last).toMatchObject({ at: 'over', end: { is: 'not-drained', report, cordonLeft: false } });
  });

  it('takes its cordon back where the owner refuses', () => {
    expect(stateAfter([...cordoned, empty, changed('hand-over', 'refused')])).toMatchObject({
      at: 'uncordon',
      end: { is: 'refused', says: 'it is refused' },
    });
  });

  it.each(['already', 'gone'] as const)(
    'waits for the new node where the old one is %s handed over',
    (is) => {
      expect(stateAfter([...cordoned, empty, changed('hand-over', is)])).toMatchObject({ at: 'arrive' });
    },
  );

  it('looks at the node again before its owner is asked a second time', () => {
    const again = stateAfter([...cordoned, empty, failure]);
    expect(again).toMatchObject({ at: 'drain', drain: { end: null }, handOverFailures: 1, waitSeconds: 10 });
    let state = again;
    for (let times = 1; times < mostFailures; times += 1) {
      state = afterAct(state, empty, { settings, now: start });
      expect(state.at).toBe('hand-over');
      state = afterAct(state, failure, { settings, now: start });
    }
    expect(state).toMatchObject({
      at: 'uncordon',
      end: { is: 'failed', says: expect.stringContaining('is not known') },
    });
  });

  it('waits for the new node where the old one has gone after a call of which nobody heard', () => {
    const gone: Happened = {
      of: 'drain',
      state: { ...drain, end: { is: 'gone' } },
      next: { do: 'end', end: { is: 'gone' } },
    };
    expect(stateAfter([...cordoned, gone])).toMatchObject({ at: 'over', end: { is: 'gone' } });
    expect(stateAfter([...cordoned, empty, failure, gone])).toMatchObject({
      at: 'arrive',
      askedAt: start.toISOString(),
      handedOverAt: start.toISOString(),
    });
  });

  it('counts a cordon of which nobody knows as made', () => {
    const maybe = stateAfter([examined(), failure]);
    expect(maybe).toMatchObject({ at: 'cordon', cordon: 'maybe' });
    expect(stateAfter([examined(), failure, changed('cordon', 'already')])).toMatchObject({
      at: 'drain',
      cordon: 'ours',
    });
    expect(stateAfter([examined(), failure, changed('cordon', 'refused')])).toMatchObject({ at: 'uncordon' });
    expect(stateAfter([examined(), ...Array(mostFailures).fill(failure)])).toMatchObject({
      at: 'uncordon',
      end: { is: 'failed', cordonLeft: true },
    });
  });

  it('says that its cordon is left where it could not be taken back', () => {
    const failed = [examined(), ...Array(mostFailures).fill(failure), ...Array(mostFailures).fill(failure)];
    expect(stateAfter(failed)).toMatchObject({ at: 'over', end: { is: 'failed', cordonLeft: true } });
  });

  it('asks again ever later, up to a bound', () => {
    expect(stateAfter([failure]).waitSeconds).toBe(10);
    expect(stateAfter([failure, failure]).waitSeconds).toBe(20);
    expect(stateAfter(Array(mostFailures).fill(failure))).toMatchObject({
      at: 'over',
      end: { is: 'failed', cordonLeft: false },
    });
  });

  it('has a call for its owner once that is known, and none before', () => {
    expect(handOverOf(stateAfter([]))).toHaveProperty('refused');
    expect(handOverOf(stateAfter([examined()]))).toEqual({
      call: 'terminate-in-group',
      group: 'eks-web',
      instanceId,
    });
  });

  it('stays over', () => {
    const over = stateAfter([...handedOver, arrive(true, true)]);
    expect(afterAct(over, failure, { settings, now: start })).toBe(over);
  });
});

describe('a node that comes in the place of another', () => {
  const node = (id: string, creationTimestamp: string) =>
    aNode({ metadata: { name: id, creationTimestamp }, spec: { providerID: `aws:///z/${id}` } });
  const since = '2026-11-28T06:30:00Z';

  it('is of its group, and has come since; the newest first', () => {
    const nodes = [
      node(instanceId, '2026-11-28T06:31:00Z'),
      node('i-0aaaaaaaaaaaaaaaa', '2026-11-28T06:29:59Z'),
      node('i-0bbbbbbbbbbbbbbbb', '2026-11-28T06:32:00Z'),
      node('i-0cccccccccccccccc', '2026-11-28T06:33:00Z'),
      node('i-0dddddddddddddddd', '2026-11-28T06:33:00Z'),
    ];
    const members = [instanceId, 'i-0aaaaaaaaaaaaaaaa', 'i-0bbbbbbbbbbbbbbbb', 'i-0cccccccccccccccc'];
    expect(newcomers(nodes, { instanceId, members, since }).map(({ metadata }) => metadata.name)).toEqual([
      'i-0cccccccccccccccc',
      'i-0bbbbbbbbbbbbbbbb',
    ]);
  });

  it('is of use once it is Ready, takes pods, and runs one', () => {
    const ready = { ...aNode(), status: { conditions: [{ type: 'Ready', status: 'True' }] } };
    const running = [aPod()];
    expect(isOfUse(ready, running)).toBe(true);
    expect(isOfUse(ready, [])).toBe(false);
    expect(isOfUse(ready, [aPod({ phase: 'Pending' })])).toBe(false);
    expect(isOfUse(ready, [aPod({ terminating: true })])).toBe(false);
    expect(isOfUse({ ...ready, spec: { ...ready.spec, unschedulable: true } }, running)).toBe(false);
    expect(
      isOfUse({ ...ready, status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } }, running),
    ).toBe(false);
    expect(isOfUse(aNode(), running)).toBe(false);
  });
});
