import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cordonAnnotation, cordonOf, toCordon, toUncordon } from '../../lambdas/domain/replacement/cordon.ts';
import { drainStep, startDrain } from '../../lambdas/domain/replacement/drain.ts';
import {
  type DrainEnd,
  type DrainNext,
  type DrainSeen,
  DrainState,
} from '../../lambdas/domain/replacement/drain-state.ts';
import { EvictionAnswer } from '../../lambdas/domain/replacement/eviction-answer.ts';
import type { PodOnNode } from '../../lambdas/domain/replacement/objects.ts';
import { callFor, ownerOf } from '../../lambdas/domain/replacement/owner.ts';
import type { PodRef } from '../../lambdas/domain/replacement/pod-ref.ts';
import { readEvictionAnswer } from '../../lambdas/domain/replacement/read-eviction-answer.ts';
import { sortPods } from '../../lambdas/domain/replacement/sort-pods.ts';
import { aNode, aPod, incident, instanceId, type PodChange } from '../lambdas/domain/replacement/objects.ts';
import { runs } from './runs.ts';

const start = new Date('2026-11-28T06:30:00Z');
const drainMinutes = 15;
const deadline = start.getTime() + drainMinutes * 60_000;

const value = fc.constantFrom('true', 'false', '', 'yes');
const anyPod = fc
  .record({
    name: fc.stringMatching(/^[a-z]{1,6}$/),
    owner: fc.constantFrom(null, 'ReplicaSet', 'DaemonSet', 'Job', 'Node'),
    phase: fc.constantFrom('Running', 'Pending', 'Succeeded', 'Failed', 'Unknown'),
    terminating: fc.boolean(),
    volumes: fc.constantFrom<PodChange['volumes'] & object>(
      [],
      [],
      [{ name: 'v', emptyDir: {} }],
      [{ name: 'v', emptyDir: { medium: 'Memory' } }],
      [{ name: 'v', hostPath: {} }],
    ),
    annotations: fc.record(
      {
        'kubernetes.io/config.mirror': fc.constant('x'),
        'karpenter.sh/do-not-disrupt': value,
        'cluster-autoscaler.kubernetes.io/safe-to-evict': value,
        'cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes': fc.constantFrom('v', 'w'),
      },
      { requiredKeys: [] },
    ),
  })
  .map((change) => aPod({ ...change, annotations: Object.fromEntries(Object.entries(change.annotations)) }));
const usualPod = fc.constantFrom('a', 'b', 'c', 'd', 'e').map((name) => aPod({ name }));
const anyPods = fc.uniqueArray(fc.oneof(anyPod, usualPod), {
  maxLength: 8,
  selector: ({ metadata }) => metadata.uid,
});
const block = fc.constantFrom('block' as const, 'evict' as const);
const anyPolicy = fc.record({ barePods: block, localData: block });
const anyAnswer: fc.Arbitrary<EvictionAnswer> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<EvictionAnswer>({ is: 'going' }) },
  {
    weight: 4,
    arbitrary: fc.record({
      is: fc.constant('refused' as const),
      budgets: fc.constantFrom<string[]>([], ['web']),
      says: fc.constant('no'),
    }),
  },
  { weight: 1, arbitrary: fc.constant<EvictionAnswer>({ is: 'gone' }) },
  { weight: 1, arbitrary: fc.constant<EvictionAnswer>({ is: 'busy', says: 'busy' }) },
  { weight: 1, arbitrary: fc.constant<EvictionAnswer>({ is: 'stop', says: 'stop' }) },
);
const anyCordon = fc.oneof(
  { weight: 30, arbitrary: fc.constant<DrainSeen['cordon']>('ours') },
  {
    weight: 1,
    arbitrary: fc.constantFrom<DrainSeen['cordon']>(
      'unknown',
      'none',
      'lifted',
      'another',
      'foreign',
      'node-gone',
    ),
  },
);
/** What befalls one step: what evictions are told, which pods leave, and what cannot be seen. */
const anyTurn = fc.record({
  answer: anyAnswer,
  leaves: fc.boolean(),
  cordon: anyCordon,
  read: fc.constantFrom('all', 'all', 'all', 'gap', 'part'),
  crashes: fc.boolean(),
  seconds: fc.integer({ min: 0, max: 90 }),
});
const anyTurns = fc.array(anyTurn, { minLength: 1, maxLength: 40 });

type Turn = typeof anyTurn extends fc.Arbitrary<infer T> ? T : never;
type Step = { seen: DrainSeen; next: DrainNext; at: number; state: DrainState };

/** A drain of these pods while all of this happens, until it ends; afterwards nothing happens any more, and time goes on. */
function drain(
  pods: readonly PodOnNode[],
  turns: readonly Turn[],
  policy: { barePods: 'block' | 'evict'; localData: 'block' | 'evict' },
  cordonedByUs = true,
): Step[] {
  let state = startDrain({ cordonedByUs, drainMinutes }, start);
  let present = [...pods];
  let answers: { pod: PodRef; answer: EvictionAnswer }[] = [];
  let at = start.getTime();
  const steps: Step[] = [];
  for (let index = 0; index < 2000; index += 1) {
    const turn: Turn = turns[index] ?? {
      answer: { is: 'refused', budgets: [], says: 'no' },
      leaves: false,
      cordon: 'ours',
      read: 'all',
      crashes: false,
      seconds: 0,
    };
    const cordon = turn.cordon === 'ours' && !cordonedByUs ? 'foreign' : turn.cordon;
    const read: DrainSeen['pods'] =
      turn.read === 'all'
        ? { value: present }
        : turn.read === 'gap'
          ? { gap: 'no' }
          : { value: present.slice(1), partial: 'more' };
    const seen = { cordon, pods: read, answers };
    const { state: after, next } = drainStep(state, seen, { policy, now: new Date(at) });
    steps.push({ seen, next, at, state: after });
    if (next.do === 'end') return steps;
    // A function that is killed has made its evictions, and forgets their answers and its state.
    if (!turn.crashes) state = DrainState.parse(JSON.parse(JSON.stringify(after)));
    answers =
      next.do === 'evict' && !turn.crashes ? next.pods.map((pod) => ({ pod, answer: turn.answer })) : [];
    const accepted =
      next.do === 'evict' && turn.answer.is === 'going'
        ? new Set(next.pods.map(({ uid }) => uid))
        : new Set();
    present = present
      .filter(
        ({ metadata }) =>
          !(turn.leaves && (accepted.has(metadata.uid) || metadata.deletionTimestamp != null)),
      )
      .map((pod) =>
        accepted.has(pod.metadata.uid)
          ? { ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2026-11-28T06:31:00Z' } }
          : pod,
      );
    at += 1000 * (turn.seconds + (next.do === 'evict' ? next.thenSeconds : next.seconds));
  }
  throw new Error('it does not end');
}

const endOf = (steps: readonly Step[]): DrainEnd => {
  const last = steps.at(-1)?.next;
  if (last?.do !== 'end') throw new Error('no end');
  return last.end;
};

/** What may never be evicted, said once more and apart from the code: from the objects alone. */
function isSacred({ metadata, status }: PodOnNode): boolean {
  const { annotations, ownerReferences, deletionTimestamp } = metadata;
  return (
    annotations['kubernetes.io/config.mirror'] !== undefined ||
    ownerReferences.some(({ kind, controller }) => controller && kind === 'DaemonSet') ||
    ['Succeeded', 'Failed'].includes(status.phase) ||
    deletionTimestamp != null ||
    annotations['karpenter.sh/do-not-disrupt'] === 'true' ||
    annotations['cluster-autoscaler.kubernetes.io/safe-to-evict'] === 'false'
  );
}

describe('the pods of a node, whatever they are', () => {
  it('are each in one of the lists, and in one only', () => {
    fc.assert(
      fc.property(anyPods, anyPolicy, (pods, policy) => {
        const all = Object.values(sortPods(pods, policy)).flat();
        expect(all.map(({ uid }) => uid).sort()).toEqual(pods.map(({ metadata }) => metadata.uid).sort());
      }),
      runs(300),
    );
  });

  it('are evicted the less, the more the settings block', () => {
    fc.assert(
      fc.property(anyPods, anyPolicy, (pods, policy) => {
        const lax = new Set(sortPods(pods, policy).evict.map(({ uid }) => uid));
        for (const { uid } of sortPods(pods, { barePods: 'block', localData: 'block' }).evict)
          expect(lax).toContain(uid);
      }),
      runs(300),
    );
  });
});

describe('a drain, whatever happens', () => {
  const anyDrain = fc.record({
    pods: anyPods,
    turns: anyTurns,
    policy: anyPolicy,
    cordonedByUs: fc.boolean(),
  });
  const all = (
    check: (
      steps: Step[],
      given: { policy: { barePods: 'block' | 'evict'; localData: 'block' | 'evict' }; cordonedByUs: boolean },
    ) => void,
  ) =>
    fc.assert(
      fc.property(anyDrain, ({ pods, turns, policy, cordonedByUs }) =>
        check(drain(pods, turns, policy, cordonedByUs), { policy, cordonedByUs }),
      ),
      runs(500),
    );

  it('never evicts what is skipped, what is leaving, or what says that it must not go', () => {
    all((steps) => {
      for (const { seen, next } of steps) {
        if (next.do !== 'evict' || 'gap' in seen.pods) continue;
        const byUid = new Map(seen.pods.value.map((pod) => [pod.metadata.uid, pod]));
        for (const { uid } of next.pods) {
          const pod = byUid.get(uid);
          expect(pod).toBeDefined();
          if (pod !== undefined) expect(isSacred(pod)).toBe(false);
        }
      }
    });
  });

  it('never evicts one pod while another of the node must not be', () => {
    all((steps, { policy }) => {
      for (const { seen, next } of steps) {
        if (next.do === 'evict' && 'value' in seen.pods)
          expect(sortPods(seen.pods.value, policy).blocked).toEqual([]);
      }
    });
  });

  it('never gives up without an uncordon of what was cordoned by us, nor with one of what was not', () => {
    all((steps, { cordonedByUs }) => {
      const end = endOf(steps);
      if (end.is === 'gave-up') expect(end.uncordon).toBe(cordonedByUs);
    });
  });

  it('says why it gave up, and names what is left', () => {
    all((steps) => {
      const end = endOf(steps);
      if (end.is === 'gave-up') expect(end.report.why).not.toBe('');
    });
  });

  it('is done only where all pods were seen, and none is left that a drain moves', () => {
    all((steps) => {
      const last = steps.at(-1);
      if (endOf(steps).is !== 'done' || last === undefined) return;
      expect(last.seen.pods).not.toHaveProperty('gap');
      expect(last.seen.pods).not.toHaveProperty('partial');
      const left = 'value' in last.seen.pods ? last.seen.pods.value : [];
      for (const pod of left) {
        const { annotations, ownerReferences } = pod.metadata;
        const stays =
          'kubernetes.io/config.mirror' in annotations ||
          ownerReferences.some(({ kind }) => kind === 'DaemonSet') ||
          ['Succeeded', 'Failed'].includes(pod.status.phase);
        expect(stays).toBe(true);
      }
      expect(['ours', 'foreign']).toContain(last.seen.cordon);
    });
  });

  it('ends by its deadline: no eviction after it, and no wait that goes past it by more than a second', () => {
    all((steps) => {
      for (const { next, at } of steps) {
        if (next.do === 'end') continue;
        expect(at).toBeLessThan(deadline);
        const seconds = next.do === 'evict' ? next.thenSeconds : next.seconds;
        expect(seconds).toBeGreaterThanOrEqual(1);
        expect(at + seconds * 1000).toBeLessThanOrEqual(deadline + 1000);
      }
    });
  });

  it('asks for nothing on a node whose cordon is not what it was', () => {
    all((steps, { cordonedByUs }) => {
      for (const { seen, next } of steps) {
        if (next.do === 'evict') expect(seen.cordon).toBe(cordonedByUs ? 'ours' : 'foreign');
      }
    });
  });

  it('has reached its end in some of these runs each way, or this tests nothing', () => {
    const ends = fc
      .sample(anyDrain, { numRuns: 500, seed: 7 })
      .map(({ pods, turns, policy }) => endOf(drain(pods, turns, policy)).is);
    expect(new Set(ends)).toEqual(new Set(['done', 'gone', 'gave-up']));
  });
});

describe('a cordon, whatever the node says', () => {
  const anyNode = fc
    .record({ holder: fc.constantFrom(undefined, incident, 'another', ''), unschedulable: fc.boolean() })
    .map(({ holder, unschedulable }) =>
      aNode({
        metadata: { annotations: holder === undefined ? {} : { [cordonAnnotation]: holder } },
        spec: { unschedulable },
      }),
    );

  it('is taken back where it has the name of this incident, and nowhere else', () => {
    fc.assert(
      fc.property(anyNode, (node) => {
        expect('patch' in toUncordon(node, incident)).toBe(
          node.metadata.annotations[cordonAnnotation] === incident,
        );
      }),
      runs(50),
    );
  });

  it('is made on a node that has none, and nowhere else', () => {
    fc.assert(
      fc.property(anyNode, (node) => {
        expect('patch' in toCordon(node, incident)).toBe(cordonOf(node, incident) === 'none');
      }),
      runs(50),
    );
  });
});

it('an answer to an eviction, whatever it is, grants it only with a success', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 100, max: 599 }),
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.constantFrom(
          '{"kind":"Status","status":"Failure","code":201}',
          '{"kind":"Status","status":"Success"}',
        ),
      ),
      (code, body) => {
        const answer = readEvictionAnswer(code, body);
        expect(EvictionAnswer.safeParse(answer).success).toBe(true);
        if (answer.is === 'going') expect([200, 201]).toContain(code);
        if (body.includes('Failure')) expect(answer.is).not.toBe('going');
      },
    ),
    runs(500),
  );
});

it('an owner, whatever the signs, is called in its own way: no group for a node of Karpenter, no claim for one of a group', () => {
  const text = fc.constantFrom(undefined, 'a', 'b');
  const signs = fc.record({
    nodeGroup: text,
    pool: text,
    type: fc.constantFrom(undefined, 'auto', 'fargate', 'ec2'),
    group: text,
    tag: text,
    poolTag: text,
    claims: fc.array(fc.constantFrom('x', 'y'), { maxLength: 2 }),
  });
  const set = (all: Record<string, string | undefined>) =>
    Object.fromEntries(Object.entries(all).flatMap(([key, one]) => (one === undefined ? [] : [[key, one]])));
  fc.assert(
    fc.property(signs, ({ nodeGroup, pool, type, group, tag, poolTag, claims }) => {
      const labels = set({
        'eks.amazonaws.com/nodegroup': nodeGroup,
        'karpenter.sh/nodepool': pool,
        'eks.amazonaws.com/compute-type': type,
      });
      const tags = set({
        'aws:autoscaling:groupName': group,
        'eks:nodegroup-name': tag,
        'karpenter.sh/nodepool': poolTag,
      });
      const ownerReferences = claims.map((name) => ({ kind: 'NodeClaim', name }));
      const call = callFor(ownerOf(aNode({ metadata: { labels, ownerReferences } }), tags), instanceId);
      if (!('call' in call)) return;
      if (call.call === 'terminate-in-group') {
        expect({ group, claims, pool, poolTag }).toEqual({
          group: call.group,
          claims: [],
          pool: undefined,
          poolTag: undefined,
        });
        expect(type === 'auto' || type === 'fargate').toBe(false);
      } else {
        expect({ group, claims }).toEqual({ group: undefined, claims: [call.nodeClaim] });
      }
    }),
    runs(1000),
  );
});
