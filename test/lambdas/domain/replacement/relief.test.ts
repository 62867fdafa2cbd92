import { describe, expect, it } from 'vitest';
import { choosePods } from '../../../../lambdas/domain/replacement/choose-pods.ts';
import {
  afterAct,
  type Happened,
  mostFailures,
  startRelief,
  stopReplacement,
} from '../../../../lambdas/domain/replacement/course.ts';
import type { ReplacementState } from '../../../../lambdas/domain/replacement/course-state.ts';
import { drainStep, startDrain } from '../../../../lambdas/domain/replacement/drain.ts';
import type { DrainSeen, DrainState } from '../../../../lambdas/domain/replacement/drain-state.ts';
import type { PodOnNode } from '../../../../lambdas/domain/replacement/objects.ts';
import type { ReliefPods } from '../../../../lambdas/domain/replacement/relief.ts';
import { treatedBy } from '../../../../lambdas/domain/replacement/replaced.ts';
import { Replacement } from '../../../../lambdas/domain/settings/replacement.ts';
import { aPod, instanceId, type PodChange } from './objects.ts';

const start = new Date('2026-11-28T06:30:00Z');
const policy = { barePods: 'block', localData: 'block' } as const;
const relief = { pods: 'best-effort', minutes: 3, most: 2 } as const;
const limited = { resources: { limits: { memory: '1Gi' } } };
const bestEffort = (name: string, change: PodChange = {}) =>
  aPod({ name, qosClass: 'BestEffort', ...change });
const burstable = (name: string, containers: object[]) =>
  aPod({ name, qosClass: 'Burstable', containers: containers as Record<string, unknown>[] });
const names = (pods: PodOnNode[], kind: ReliefPods, most = 10) =>
  choosePods(pods, policy, { pods: kind, most }).map((uid) => uid.replace('uid-of-', ''));

describe('the pods that may go before a kubelet is restarted', () => {
  const pods = [
    burstable('open', [limited, { resources: { requests: { memory: '1Gi' } } }]),
    burstable('nothing-said', [{}]),
    burstable('bounded', [limited]),
    aPod({ name: 'guaranteed', qosClass: 'Guaranteed', containers: [{}] }),
    aPod({ name: 'unknown', containers: [{}] }),
    bestEffort('free'),
  ];

  it('are those that ask for nothing, and where the settings say so those without a limit after them', () => {
    expect(names(pods, 'best-effort')).toEqual(['free']);
    expect(names(pods, 'without-limits')).toEqual(['free', 'open', 'nothing-said']);
    expect(names(pods, 'without-limits', 2)).toEqual(['free', 'open']);
  });

  it('are none of which it is not told what their containers ask for', () => {
    const untold = burstable('untold', []);
    expect(names([{ ...untold, spec: { ...untold.spec, containers: undefined } }], 'without-limits')).toEqual(
      [],
    );
  });

  it.each<[string, PodChange]>([
    ['of a DaemonSet', { owner: 'DaemonSet' }],
    ['the mirror of a static pod', { annotations: { 'kubernetes.io/config.mirror': 'x' } }],
    ['finished', { phase: 'Succeeded' }],
    ['on its way out', { terminating: true }],
    ['one that must not be disrupted', { annotations: { 'karpenter.sh/do-not-disrupt': 'true' } }],
    ['owned by nobody', { owner: null }],
    ['one with data on the node', { volumes: [{ name: 'data', emptyDir: {} }] }],
  ])('are not %s', (_, change) => {
    expect(names([bestEffort('one', change)], 'best-effort')).toEqual([]);
  });
});

describe('a drain of these pods only', () => {
  const begun = startDrain({ cordonedByUs: true, drainMinutes: 3, relief }, start);
  const seeing = (pods: PodOnNode[], more: Partial<DrainSeen> = {}): DrainSeen => ({
    cordon: 'ours',
    pods: { value: pods },
    answers: [],
    ...more,
  });
  const step = (state: DrainState, seen: DrainSeen, seconds = 0) =>
    drainStep(state, seen, { policy, now: new Date(start.getTime() + seconds * 1000) });
  const guaranteed = aPod({ name: 'db', qosClass: 'Guaranteed', owner: null });
  const three = ['a', 'b', 'c'].map((name) => bestEffort(name));

  it('evicts as many as were agreed to, none that comes later, and is done when they have gone', () => {
    const first = step(begun, seeing([guaranteed, ...three]));
    expect(first.next).toMatchObject({ do: 'evict', pods: [{ name: 'a' }, { name: 'b' }] });
    // A bare pod that must not go ends the drain of a whole node, and stays here.
    const second = step(first.state, seeing([guaranteed, ...three.slice(1), bestEffort('late')]), 5);
    expect(second.next).toMatchObject({ do: 'evict', pods: [{ name: 'b' }] });
    const third = step(second.state, seeing([guaranteed, ...three.slice(2), bestEffort('late')]), 10);
    expect(third.next).toEqual({ do: 'end', end: { is: 'done' } });
  });

  it('evicts nothing before all pods were seen, and gives up at its deadline', () => {
    const unseen = step(begun, seeing(three, { pods: { value: three, partial: 'half of them' } }));
    expect(unseen.next).toMatchObject({ do: 'wait' });
    expect(unseen.state.relief?.chosen).toBeNull();
    const late = step(unseen.state, seeing([], { pods: { gap: 'no answer' } }), 180);
    expect(late.next).toMatchObject({ do: 'end', end: { is: 'gave-up' } });
  });

  it('is given up where budgets hold them, where one says that it must stay by now, or its cordon is lifted', () => {
    const { state } = step(begun, seeing(three));
    expect(step(state, seeing(three), 180).next).toMatchObject({ do: 'end', end: { is: 'gave-up' } });
    const kept = bestEffort('a', { annotations: { 'karpenter.sh/do-not-disrupt': 'true' } });
    expect(step(state, seeing([kept])).next).toMatchObject({ do: 'end', end: { is: 'gave-up' } });
    expect(step(state, seeing(three, { cordon: 'lifted' })).next).toMatchObject({
      do: 'end',
      end: { is: 'gave-up' },
    });
  });
});

describe('the course of such a drain', () => {
  const settings = Replacement.parse({});
  const stateAfter = (...happened: Happened[]): ReplacementState =>
    happened.reduce(
      (state, one) => afterAct(state, one, { settings, now: start }),
      startRelief(instanceId, relief),
    );
  const examined = (change: object = {}): Happened => ({
    of: 'examine',
    node: { name: 'n', owner: { kind: 'unknown', why: 'x' }, cordon: 'ours', ...change },
  });
  const drained = (end: 'done' | 'gone', evicted = 2): Happened => {
    const { drain } = stateAfter(examined());
    if (drain === null) throw new Error('there is no drain');
    return {
      of: 'drain',
      state: { ...drain, evicted, end: { is: end } },
      next: { do: 'end', end: { is: end } },
    };
  };

  it('goes on from the cordon of the rung before, whoever owns the node, for the time that was agreed to', () => {
    expect(stateAfter(examined())).toMatchObject({
      at: 'drain',
      cordon: 'no',
      drain: { deadline: '2026-11-28T06:33:00.000Z', relief: { most: 2, chosen: null } },
    });
  });

  it.each(['none', 'lifted', 'another', 'foreign'])(
    'is over before any pod goes where the cordon is %s',
    (cordon) => {
      expect(stateAfter(examined({ cordon }))).toMatchObject({
        at: 'over',
        end: { is: 'refused', cordonLeft: false },
      });
    },
  );

  it('is over before any pod goes where something speaks against it', () => {
    expect(stateAfter(examined({ whyNot: 'it is young' }))).toMatchObject({
      at: 'over',
      end: { is: 'refused', says: 'it is young' },
    });
  });

  it('ends with the pods gone, the node kept, and the cordon where it was: nobody is asked for another node', () => {
    const over = stateAfter(examined(), drained('done'));
    expect(over).toMatchObject({
      at: 'over',
      askedAt: null,
      handedOverAt: null,
      end: { is: 'relieved', says: '2 pods of the node n were evicted, and have gone', cordonLeft: false },
    });
    expect(treatedBy(over)).toMatchObject({
      status: 'done',
      result: { changed: true, details: { evicted: 2 } },
    });
    expect(treatedBy(stateAfter(examined(), drained('done', 0)))).toMatchObject({
      status: 'done',
      reason: 'no pod of the node n is of the kind that may go',
      result: { changed: false },
    });
  });

  it('takes no cordon back, however it ends', () => {
    const failure: Happened = { of: 'failure', says: 'no answer' };
    const ends = [
      stateAfter(examined(), drained('gone')),
      stateAfter(examined(), ...Array(mostFailures).fill(failure)),
      stateAfter(...Array(mostFailures).fill(failure)),
      stopReplacement(stateAfter(examined()), 'a veto'),
    ];
    for (const state of ends) expect(state).toMatchObject({ at: 'over', end: { cordonLeft: false } });
  });
});
