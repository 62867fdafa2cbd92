import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cordonAnnotation, cordonOf, toCordon, toUncordon } from '../../lambdas/domain/replacement/cordon.ts';
import { afterAct, type Happened, startReplacement } from '../../lambdas/domain/replacement/course.ts';
import { ReplacementState } from '../../lambdas/domain/replacement/course-state.ts';
import { drainStep } from '../../lambdas/domain/replacement/drain.ts';
import type { EvictionAnswer } from '../../lambdas/domain/replacement/eviction-answer.ts';
import type { PodOnNode } from '../../lambdas/domain/replacement/objects.ts';
import type { Owner } from '../../lambdas/domain/replacement/owner.ts';
import { Replacement } from '../../lambdas/domain/settings/replacement.ts';
import { aNode, aPod, incident, instanceId } from '../lambdas/domain/replacement/objects.ts';
import { runs } from './runs.ts';

const start = new Date('2026-11-28T06:30:00Z').getTime();
const settings = Replacement.parse({});
const policy = { barePods: settings.barePods, localData: settings.localData };

/** What befalls one act. */
const anyTurn = fc.record({
  /** lost: it was made, and nobody hears of it. broken: it was not. dies: as lost, and the state of before is all that is known. */
  fate: fc.oneof(
    { weight: 8, arbitrary: fc.constant('heard' as const) },
    { weight: 1, arbitrary: fc.constantFrom('lost' as const, 'broken' as const, 'dies' as const) },
  ),
  /** What somebody else does to the node meanwhile. */
  others: fc.oneof(
    { weight: 20, arbitrary: fc.constant('nothing' as const) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'uncordon' as const,
        'take-over' as const,
        'remove' as const,
        'start-pod' as const,
      ),
    },
  ),
  eviction: fc.constantFrom<EvictionAnswer['is']>('going', 'going', 'refused', 'busy', 'stop'),
  ownerRefuses: fc.boolean(),
  comes: fc.boolean(),
});
type Turn = typeof anyTurn extends fc.Arbitrary<infer T> ? T : never;
const anyWorld = fc.record({
  owner: fc.constantFrom<Owner>(
    { kind: 'managed-node-group', nodeGroup: 'web', group: 'g' },
    { kind: 'karpenter', nodeClaim: 'c' },
    { kind: 'unknown', why: 'x' },
  ),
  whyNot: fc.constantFrom(undefined, undefined, undefined, 'young'),
  cordon: fc.constantFrom('none', 'none', 'none', 'foreign', 'another', 'ours'),
  pods: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 3 }),
  sacred: fc.constantFrom(false, false, false, true),
  /** Acts in a row of which nobody hears: none, some minutes, or for good. */
  outage: fc.record({
    from: fc.integer({ min: 0, max: 12 }),
    acts: fc.constantFrom(0, 0, 3, 8, 200),
    fate: fc.constantFrom('lost' as const, 'broken' as const),
  }),
  turns: fc.array(anyTurn, { maxLength: 60 }),
});
type World = typeof anyWorld extends fc.Arbitrary<infer T> ? T : never;

type Ran = {
  end: NonNullable<ReplacementState['end']>;
  /** Whose name was on the node at the end, where there still is one. */
  holder: string | undefined;
  unschedulable: boolean;
  there: boolean;
  terminated: boolean;
  /** Of each time its owner was asked: whether the node was ours, and empty. */
  askedOwner: { ours: boolean; empty: boolean }[];
  evictedWithoutCordon: number;
  acts: number;
  /** Whether the last act of all, had it been to take the cordon back, was heard. */
  heardAll: boolean;
};

/** A replacement in a world in which all of this happens; when it has, nothing does any more, and every act is heard. */
function run(world: World): Ran {
  const holders = { none: undefined, foreign: undefined, another: 'another', ours: incident };
  let holder: string | undefined = holders[world.cordon as keyof typeof holders];
  let unschedulable = world.cordon !== 'none';
  let there = true;
  let terminated = false;
  let pods: PodOnNode[] = world.pods.map((name) => aPod({ name, ...(world.sacred ? { owner: null } : {}) }));
  let at = start;
  let state = startReplacement(instanceId, world.cordon === 'ours');
  const ran: Omit<Ran, 'end' | 'holder' | 'unschedulable' | 'there' | 'terminated'> = {
    askedOwner: [],
    evictedWithoutCordon: 0,
    acts: 0,
    heardAll: true,
  };
  const node = () =>
    aNode({
      metadata: { annotations: holder === undefined ? {} : { [cordonAnnotation]: holder } },
      spec: { unschedulable },
    });
  const cordon = (toDo: typeof toCordon): Happened & { of: 'cordon' } => {
    if (!there) return { of: 'cordon', changed: { is: 'gone', says: 'gone' } };
    const step = toDo(node(), incident);
    if ('nothing' in step)
      return {
        of: 'cordon',
        changed: { is: step.nothing === 'already' ? 'already' : 'refused', says: step.says },
      };
    holder = step.patch.metadata.annotations[cordonAnnotation] ?? undefined;
    unschedulable = step.patch.spec.unschedulable;
    return { of: 'cordon', changed: { is: 'done', says: 'done' } };
  };
  const make = (turn: Turn): Happened => {
    switch (state.at) {
      case 'examine':
        return {
          of: 'examine',
          node: there
            ? { name: 'n', owner: world.owner, cordon: cordonOf(node(), incident), whyNot: world.whyNot }
            : null,
        };
      case 'cordon':
        return cordon(toCordon);
      case 'uncordon':
        return { ...cordon(toUncordon), of: 'uncordon' };
      case 'drain': {
        if (state.drain === null) throw new Error('no drain');
        const seen = {
          cordon: there ? cordonOf(node(), incident) : ('node-gone' as const),
          pods: { value: pods },
          answers: state.answers,
        };
        return { of: 'drain', ...drainStep(state.drain, seen, { policy, now: new Date(at) }) };
      }
      case 'evict': {
        if (!(holder === incident && unschedulable) && there) ran.evictedWithoutCordon += 1;
        const { eviction } = turn;
        if (eviction === 'going')
          pods = pods.filter(({ metadata }) => !state.evict.some(({ uid }) => uid === metadata.uid));
        const answer: EvictionAnswer =
          eviction === 'refused'
            ? { is: 'refused', budgets: ['b'], says: 'no' }
            : eviction === 'going' || eviction === 'gone'
              ? { is: eviction }
              : { is: eviction, says: 'no' };
        return { of: 'evict', answers: state.evict.map((pod) => ({ pod, answer })) };
      }
      case 'hand-over':
        ran.askedOwner.push({ ours: holder === incident && unschedulable, empty: pods.length === 0 });
        if (turn.ownerRefuses && !terminated)
          return { of: 'hand-over', changed: { is: 'refused', says: 'no' } };
        if (terminated) return { of: 'hand-over', changed: { is: 'already', says: 'already' } };
        terminated = true;
        return { of: 'hand-over', changed: { is: 'done', says: 'done' } };
      case 'arrive':
        if (turn.comes) there = false;
        return {
          of: 'arrive',
          seen: { oldGone: !there, arrived: turn.comes ? { node: 'new', ready: true } : null },
        };
      case 'over':
        throw new Error('over');
    }
  };
  for (; ran.acts < 3000; ran.acts += 1) {
    const usual: Turn = world.turns[ran.acts] ?? {
      fate: 'heard',
      others: 'nothing',
      eviction: 'refused',
      ownerRefuses: false,
      comes: false,
    };
    const { from, acts, fate } = world.outage;
    const turn: Turn = ran.acts >= from && ran.acts < from + acts ? { ...usual, fate } : usual;
    const happened: Happened = turn.fate === 'broken' ? { of: 'failure', says: 'broken' } : make(turn);
    const heard: Happened = turn.fate === 'lost' ? { of: 'failure', says: 'lost' } : happened;
    if (turn.fate !== 'heard') ran.heardAll = false;
    // A function that dies leaves the state of before, and the act is made once more.
    if (turn.fate !== 'dies')
      state = ReplacementState.parse(
        JSON.parse(JSON.stringify(afterAct(state, heard, { settings, now: new Date(at) }))),
      );
    if (state.at === 'over' && state.end !== null)
      return { ...ran, end: state.end, holder, unschedulable, there, terminated };
    at += 1000 * Math.max(1, state.waitSeconds);
    if (turn.others === 'uncordon') unschedulable = false;
    if (turn.others === 'take-over') holder = undefined;
    if (turn.others === 'remove') there = false;
    if (turn.others === 'start-pod' && !terminated)
      pods = [...pods, aPod({ name: `late-${ran.acts}`, uid: `late-${ran.acts}` })];
  }
  throw new Error('it does not end');
}

const all = (check: (ran: Ran, world: World) => void) =>
  fc.assert(
    fc.property(anyWorld, (world) => check(run(world), world)),
    runs(600),
  );

describe('a replacement, whatever happens', () => {
  it('ends, and never forgets a cordon of its own: it is taken back, or the end says that it is left, or the node has gone', () => {
    all(({ end, holder, there }) => {
      if (there && holder === incident) expect(end.cordonLeft).toBe(true);
    });
  });

  it('leaves no cordon of its own where nothing was lost', () => {
    all(({ heardAll, holder, there, terminated, end }) => {
      if (heardAll && there && !terminated) {
        expect(holder).not.toBe(incident);
        expect(end.cordonLeft).toBe(false);
      }
    });
  });

  it('asks the owner only for a node that was seen empty, and with its own cordon, just before', () => {
    all(({ askedOwner }, { turns }) => {
      // Between that look and the call others may come: no look can know of that.
      if (turns.some(({ others, fate }) => others !== 'nothing' || fate === 'dies')) return;
      for (const asked of askedOwner) expect(asked).toEqual({ ours: true, empty: true });
    });
  });

  it('asks no owner for a node that must not be replaced, or holds a pod that must not go, or is somebody else’s', () => {
    all(({ askedOwner, terminated }, { owner, whyNot, cordon, pods, sacred }) => {
      const never =
        owner.kind === 'unknown' ||
        whyNot !== undefined ||
        cordon === 'foreign' ||
        cordon === 'another' ||
        (sacred && pods.length > 0);
      // Others may lift a cordon before it is looked at.
      if (never && cordon !== 'foreign')
        expect({ askedOwner, terminated }).toEqual({ askedOwner: [], terminated: false });
    });
  });

  it('evicts nothing on a node that was not seen with its cordon just before', () => {
    all(({ evictedWithoutCordon }, { turns }) => {
      if (turns.every(({ others, fate }) => others === 'nothing' && fate !== 'dies'))
        expect(evictedWithoutCordon).toBe(0);
    });
  });

  it('says that a node was replaced only where it has gone, and its owner was asked unless somebody else took it away', () => {
    all(({ end, terminated, there }, { turns }) => {
      if (end.is !== 'replaced') return;
      expect(there).toBe(false);
      if (turns.every(({ others }) => others !== 'remove')) expect(terminated).toBe(true);
    });
  });

  it('comes to each of its ends in some of these runs, or this tests nothing', () => {
    const ends = fc.sample(anyWorld, { numRuns: 600, seed: 11 }).map((world) => run(world).end.is);
    expect(new Set(ends)).toEqual(new Set(['replaced', 'refused', 'not-drained', 'gone', 'failed']));
  });
});
