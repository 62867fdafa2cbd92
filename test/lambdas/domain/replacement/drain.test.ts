import { describe, expect, it } from 'vitest';
import { drainStep, mostAtOnce, startDrain } from '../../../../lambdas/domain/replacement/drain.ts';
import { drainReportText } from '../../../../lambdas/domain/replacement/drain-report.ts';
import { type DrainSeen, DrainState } from '../../../../lambdas/domain/replacement/drain-state.ts';
import type { EvictionAnswer } from '../../../../lambdas/domain/replacement/eviction-answer.ts';
import type { PodOnNode } from '../../../../lambdas/domain/replacement/objects.ts';
import { aPod } from './objects.ts';

const start = new Date('2026-11-28T06:30:00Z');
const after = (seconds: number) => new Date(start.getTime() + seconds * 1000);
const policy = { barePods: 'block', localData: 'block' } as const;
const begun = startDrain({ cordonedByUs: true, drainMinutes: 15 }, start);
const refused: EvictionAnswer = {
  is: 'refused',
  budgets: ['web'],
  says: 'The disruption budget web needs 3',
};

const refs = (pods: readonly PodOnNode[]) =>
  pods.map(({ metadata: { namespace, name, uid } }) => ({ namespace, name, uid }));
const answered = (pods: readonly PodOnNode[], answer: EvictionAnswer) =>
  refs(pods).map((pod) => ({ pod, answer }));
const seeing = (pods: PodOnNode[], more: Partial<DrainSeen> = {}): DrainSeen => ({
  cordon: 'ours',
  pods: { value: pods },
  answers: [],
  ...more,
});
const step = (state: DrainState, seen: DrainSeen, seconds = 0) =>
  drainStep(state, seen, { policy, now: after(seconds) });
const ending = (state: DrainState, seen: DrainSeen, seconds = 0) => {
  const { next } = step(state, seen, seconds);
  return next.do === 'end' ? next.end : next;
};
const many = (count: number) => Array.from({ length: count }, (_, index) => aPod({ name: `web-${index}` }));

describe('a drain', () => {
  it('evicts what may go, waits for what is going, and is done when only what stays is left', () => {
    const daemon = aPod({ name: 'agent', owner: 'DaemonSet' });
    const web = many(2);
    const first = step(begun, seeing([daemon, ...web]));
    expect(first.next).toEqual({ do: 'evict', pods: refs(web), thenSeconds: 5 });

    const going = web.map((_, index) => aPod({ name: `web-${index}`, terminating: true }));
    const second = step(
      first.state,
      seeing([daemon, ...going], { answers: answered(web, { is: 'going' }) }),
      5,
    );
    expect(second.next).toEqual({ do: 'wait', seconds: 5, why: '2 pods on the way out' });

    const third = step(second.state, seeing([daemon]), 10);
    expect(third.next).toEqual({ do: 'end', end: { is: 'done' } });
    expect(third.state).toMatchObject({ evicted: 2, left: 0 });
  });

  it('is done at once with an empty node', () => {
    expect(ending(begun, seeing([]))).toEqual({ is: 'done' });
  });

  it('asks a budget that refuses less and less often, and soon again once something moves', () => {
    const [a, b] = [aPod({ name: 'a' }), aPod({ name: 'b' })];
    let { state, next } = step(begun, seeing([a, b]));
    const waits: unknown[] = [];
    for (let look = 1; look <= 6; look += 1) {
      ({ state, next } = step(state, seeing([a, b], { answers: answered([a, b], refused) }), look));
      waits.push(next.do === 'evict' && next.thenSeconds);
    }
    expect(waits).toEqual([10, 20, 40, 60, 60, 60]);
    ({ next } = step(state, seeing([b], { answers: answered([b], refused) }), 7));
    expect(next).toEqual({ do: 'evict', pods: refs([b]), thenSeconds: 5 });
  });

  it('waits as long as the API server asks it to', () => {
    const pods = many(1);
    const answers = answered(pods, { ...refused, retrySeconds: 30 });
    expect(step(begun, seeing(pods, { answers })).next).toMatchObject({ thenSeconds: 30 });
  });

  it('waits no longer than until its deadline', () => {
    const pods = many(1);
    const late = { ...begun, waitSeconds: 40 };
    expect(step(late, seeing(pods, { answers: answered(pods, refused) }), 890).next).toMatchObject({
      thenSeconds: 10,
    });
    expect(step(late, seeing(pods), 899.7)).toMatchObject({ next: { do: 'end', end: { is: 'gave-up' } } });
  });

  it('asks for so many at once, those first that were refused least', () => {
    const pods = many(mostAtOnce + 5);
    const first = step(begun, seeing(pods));
    if (first.next.do !== 'evict') throw new Error(first.next.do);
    expect(first.next.pods).toHaveLength(mostAtOnce);

    const answers = first.next.pods.map((pod) => ({ pod, answer: refused }));
    const second = step(first.state, seeing(pods, { answers }), 5);
    if (second.next.do !== 'evict') throw new Error(second.next.do);
    const asked = new Set([...first.next.pods, ...second.next.pods].map(({ uid }) => uid));
    expect(asked.size).toBe(pods.length);
  });

  it('remembers so many refusals at the most, and little of each', () => {
    const pods = many(300);
    const loud: EvictionAnswer = { is: 'refused', budgets: ['b'], says: 'x'.repeat(400) };
    const { state } = step(begun, seeing(pods, { answers: answered(pods, loud) }));
    expect(Object.keys(state.refused)).toHaveLength(50);
    expect(JSON.stringify(state).length).toBeLessThan(16_384);
    expect(DrainState.parse(JSON.parse(JSON.stringify(state)))).toEqual(state);
  });

  it('evicts again what still runs although its eviction was granted', () => {
    const pods = many(1);
    const { next } = step(begun, seeing(pods, { answers: answered(pods, { is: 'going' }) }));
    expect(next).toMatchObject({ do: 'evict', pods: refs(pods) });
  });

  it('waits where the pods cannot be read, and ends with that at the deadline', () => {
    const seen = seeing([], { pods: { gap: 'the API server: it took too long' } });
    expect(step(begun, seen).next).toEqual({
      do: 'wait',
      seconds: 5,
      why: 'the API server: it took too long',
    });
    expect(ending(begun, seen, 900)).toMatchObject({
      is: 'gave-up',
      uncordon: true,
      report: { why: expect.stringContaining('it took too long') },
    });
  });

  it('takes a part of the pods for no list, not even an empty one', () => {
    const seen = seeing([], { pods: { value: [], partial: 'only the first 0 were read: there are more' } });
    expect(step(begun, seen).next).toMatchObject({ do: 'wait' });
  });
});

describe('a drain that is given up', () => {
  it('at its deadline names the budgets, and the pods they hold', () => {
    const [web, api] = [aPod({ name: 'web-0' }), aPod({ name: 'api-0', namespace: 'pay' })];
    const slow = aPod({ name: 'slow', terminating: true });
    const { state } = step(
      begun,
      seeing([web, api, slow], {
        answers: [...answered([web], refused), ...answered([api], { is: 'busy', says: 'x' })],
      }),
    );
    const end = ending(state, seeing([web, api, slow], { answers: answered([web], refused) }), 900);
    expect(end).toEqual({
      is: 'gave-up',
      uncordon: true,
      report: {
        why: 'at the deadline 3 pods of the node had not gone',
        budgets: ['shop/web'],
        pods: [
          { pod: 'shop/web-0', why: 'refused 2 times: The disruption budget web needs 3' },
          { pod: 'shop/slow', why: expect.stringContaining('it does not go') },
          { pod: 'pay/api-0', why: 'it was not evicted' },
        ],
        morePods: 0,
        evicted: 0,
      },
    });
    if (!('report' in end)) throw new Error('no report');
    expect(drainReportText(end.report)).toBe(
      [
        'The node was not drained: at the deadline 3 pods of the node had not gone. No pod was evicted.',
        'Budgets that allow nothing: shop/web.',
        '- shop/web-0: refused 2 times: The disruption budget web needs 3',
        '- shop/slow: its end has begun, and it does not go: it takes longer than the deadline, or a finalizer holds it',
        '- pay/api-0: it was not evicted',
      ].join('\n'),
    );
  });

  it('because of a pod that must not be evicted, does so before it has evicted any', () => {
    const pods = [...many(2), aPod({ name: 'bare', owner: null })];
    expect(ending(begun, seeing(pods))).toMatchObject({
      is: 'gave-up',
      report: {
        why: '1 pod of the node must not be evicted',
        pods: [{ pod: 'shop/bare' }, {}, {}],
        evicted: 0,
      },
    });
  });

  it('stops where asking again would not help, and says for which pod', () => {
    const pods = many(2);
    const stop: EvictionAnswer = { is: 'stop', says: 'more than one PodDisruptionBudget selects it' };
    expect(ending(begun, seeing(pods, { answers: answered([pods[1] as PodOnNode], stop) }))).toMatchObject({
      is: 'gave-up',
      report: {
        why: 'shop/web-1 cannot be evicted: more than one PodDisruptionBudget selects it',
        pods: [{ pod: 'shop/web-1', why: stop.says }, { pod: 'shop/web-0' }],
      },
    });
  });

  it('names twenty pods, and how many more', () => {
    const end = ending(begun, seeing(many(25)), 900);
    if (!('report' in end)) throw new Error('no report');
    expect(end.report).toMatchObject({ pods: { length: 20 }, morePods: 5 });
    expect(drainReportText(end.report)).toMatch(/\n- and 5 more$/);
  });

  it.each([
    ['none', 'somebody has uncordoned the node'],
    ['lifted', 'somebody has uncordoned the node'],
    ['another', 'another incident has taken over'],
    ['foreign', 'somebody else has taken over'],
  ] as const)('where its cordon is %s meanwhile', (cordon, why) => {
    const end = ending(begun, seeing(many(1), { cordon }));
    expect(end).toMatchObject({
      is: 'gave-up',
      uncordon: true,
      report: { why: expect.stringContaining(why) },
    });
  });

  it('stays so, whatever is seen afterwards', () => {
    const { state, next } = step(begun, seeing(many(1)), 900);
    expect(step(state, seeing([]), 0)).toEqual({ state, next });
  });

  it('does not uncordon a node that was cordoned before by somebody else', () => {
    const theirs = startDrain({ cordonedByUs: false, drainMinutes: 15 }, start);
    const seen = seeing(many(1), { cordon: 'foreign' });
    expect(step(theirs, seen).next.do).toBe('evict');
    expect(ending(theirs, seen, 900)).toMatchObject({ is: 'gave-up', uncordon: false });
  });
});

it('a node that is no longer there ends its drain, and nothing is left to take back', () => {
  expect(ending(begun, seeing([], { cordon: 'node-gone', pods: { gap: 'no node' } }))).toEqual({
    is: 'gone',
  });
});
