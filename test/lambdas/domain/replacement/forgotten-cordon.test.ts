import { describe, expect, it } from 'vitest';
import type { AuditStep } from '../../../../lambdas/domain/audit/entry.ts';
import {
  type CordonedNode,
  type CordonHolder,
  judgeCordon,
  type SweptCordon,
  sweepMessage,
} from '../../../../lambdas/domain/replacement/forgotten-cordon.ts';

const now = new Date('2026-11-28T12:00:00Z');
const minutesAgo = (minutes: number) => new Date(now.getTime() - minutes * 60_000).toISOString();
const cordoned: CordonedNode = {
  node: 'ip-10-0-0-1',
  instanceId: 'i-0123456789abcdef0',
  incident: 'inc-1',
  unschedulable: true,
};
const trail = (...steps: [AuditStep, number][]): CordonHolder['trail'] =>
  steps.map(([step, minutes]) => ({
    step,
    at: minutesAgo(minutes),
    cluster: 'prod',
    instanceId: 'i-0123456789abcdef0',
  }));
const lease = (holder: string, expiredMinutesAgo: number) => ({
  holder,
  expiresAt: minutesAgo(expiredMinutesAgo),
});
const judge = (holder: CordonHolder, one = cordoned) =>
  judgeCordon(one, holder, { cluster: 'prod', orphanMinutes: 60, now });

const begun = trail(['incident.opened', 300], ['treatment.intended', 200]);
const closed = (minutes: number) => trail(['incident.opened', 300], ['incident.closed', minutes]);

describe('a cordon', () => {
  it.each<[string, CordonHolder, string, RegExp]>([
    ['its incident is at work', { trail: begun, lease: lease('inc-1', -1) }, 'held', /at work/],
    [
      'its incident closed just now',
      { trail: closed(59), lease: undefined },
      'held',
      /closed, not yet 60 min/,
    ],
    [
      'its incident closed long ago',
      { trail: closed(60), lease: undefined },
      'forgotten',
      /closed 60 min ago/,
    ],
    [
      'its incident closed long ago, and another is at work',
      { trail: closed(90), lease: lease('inc-2', -30) },
      'forgotten',
      /closed 90 min ago/,
    ],
    ['its lease ran out just now', { trail: begun, lease: lease('inc-1', 10) }, 'held', /not yet/],
    [
      'its lease ran out long ago',
      { trail: begun, lease: lease('inc-1', 61) },
      'forgotten',
      /ran out 61 min/,
    ],
    [
      'it has written since its lease ran out',
      { trail: trail(['incident.opened', 300], ['undo.intended', 5]), lease: lease('inc-1', 100) },
      'held',
      /not yet/,
    ],
    [
      'another incident has its node',
      { trail: begun, lease: lease('inc-2', -30) },
      'forgotten',
      /inc-2.*200 min/,
    ],
    ['nobody has its node', { trail: begun, lease: undefined }, 'forgotten', /200 min ago/],
  ])('%s', (_, holder, is, says) => {
    expect(judge(holder)).toEqual({ is, says: expect.stringMatching(says) });
  });

  it.each<[string, CordonHolder, RegExp, CordonedNode?]>([
    [
      'the trail cannot be read',
      { trail: { gap: 'no answer' }, lease: undefined },
      /could not be read: no answer/,
    ],
    ['the lease cannot be read', { trail: begun, lease: { gap: 'no answer' } }, /lease.*no answer/],
    ['there is no such incident', { trail: [], lease: undefined }, /there is no incident inc-1/],
    [
      'the incident is of another node',
      { trail: closed(90), lease: undefined },
      /is of i-0123456789abcdef0/,
      { ...cordoned, instanceId: 'i-0fedcba9876543210' },
    ],
    [
      'there is no instance',
      { trail: closed(90), lease: undefined },
      /is of i-0123456789abcdef0/,
      { ...cordoned, instanceId: null },
    ],
  ])('is nothing to be taken back where %s', (_, holder, says, one) => {
    expect(judge(holder, one)).toEqual({ is: 'unclear', says: expect.stringMatching(says) });
  });

  it('of an incident of another cluster is not one of here', () => {
    const elsewhere = judgeCordon(
      cordoned,
      { trail: closed(90), lease: undefined },
      { cluster: 'other', orphanMinutes: 60, now },
    );
    expect(elsewhere.is).toBe('unclear');
  });

  it('whose incident closed at a time that cannot be read was not closed long ago', () => {
    const odd = [
      { step: 'incident.closed', at: 'then', cluster: 'prod', instanceId: cordoned.instanceId ?? '' },
    ] as const;
    expect(judge({ trail: odd, lease: undefined }).is).toBe('held');
  });
});

describe('the message', () => {
  const swept = (count: number, more: Partial<SweptCordon> = {}): SweptCordon[] =>
    Array.from({ length: count }, (_, index) => ({
      ...cordoned,
      node: `node-${index}`,
      verdict: { is: 'forgotten', says: 'its incident closed 60 min ago' },
      ...more,
    }));

  it('names each node, its incident and why, and says how a cordon is taken back by hand', () => {
    const { title, text } = sweepMessage('prod', swept(1));
    expect(title).toBe('a cordon of cgroup-medic was forgotten on a node of prod');
    expect(text).toContain(
      'node-0 (i-0123456789abcdef0), cordoned by inc-1: its incident closed 60 min ago; it takes no new pods',
    );
    expect(text).toContain(
      'kubectl uncordon node-0 && kubectl annotate node node-0 cgroup-medic/cordoned-by-',
    );
  });

  it('asks for nothing where all were taken back', () => {
    const { text } = sweepMessage('prod', swept(2, { done: true }));
    expect(text).toContain('it was uncordoned');
    expect(text).not.toContain('kubectl');
  });

  it('says what kept it from being taken back, and what is left where somebody has uncordoned it', () => {
    const { text } = sweepMessage('prod', swept(1, { unschedulable: false, failed: 'no answer' }));
    expect(text).toContain(
      'somebody has uncordoned it, and the annotation is left; it could not be taken back: no answer',
    );
  });

  it('is one for any number of nodes, and not longer than people read', () => {
    const { title, text } = sweepMessage('prod', swept(200));
    expect(title).toContain('200 nodes');
    expect(text).toContain('and 180 more');
    expect(text.length).toBeLessThan(8000);
  });
});
