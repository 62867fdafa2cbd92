import { describe, expect, it } from 'vitest';
import { recurrenceGate } from '../../../../lambdas/domain/gates/recurrence-gate.ts';
import type { History, Past } from '../../../../lambdas/domain/history/past.ts';
import { Gates } from '../../../../lambdas/domain/settings/gates.ts';
import { samplePast } from '../history/sample-past.ts';

const { recurrence: settings } = Gates.parse({ recurrence: { perImage: 4 } });
const ask = (history: History | undefined, approved = false, kind: 'document' | 'notify' = 'document') =>
  recurrenceGate(history, { rung: { kind }, settings, approved });
const id = 'ami-0123456789abcdef0';
const times = (count: number, change: (index: number) => Partial<Past> = () => ({})) =>
  Array.from({ length: count }, (_, index) => samplePast({ incident: `inc-${index}`, ...change(index) }));
const ofNode = (node: Past[]): History => ({ days: 7, node, image: { id, pasts: node } });
const ofImage = (pasts: Past[]): History => ({ days: 7, node: [], image: { id, pasts } });
const onOther = (index: number) => ({ instanceId: `i-0000000000000000${index}` });

describe('the gate of recurrence', () => {
  it('lets a node be treated until it was treated three times in the window, and then asks a person, also in mode auto', () => {
    expect(ask(ofNode(times(2))).decision).toBe('pass');
    expect(ask(ofNode(times(3)))).toMatchObject({
      decision: 'ask',
      reason: 'this node was treated 3 times in the last 7 days (reclaim): what leaks here comes back',
    });
  });

  it('does not count incidents in which nothing was done to the node', () => {
    expect(ask(ofNode(times(9, () => ({ done: [] })))).decision).toBe('pass');
    expect(ask(ofImage(times(9, (index) => ({ ...onOther(index), done: [] })))).decision).toBe('pass');
  });

  it('asks where as many nodes of one machine image were treated, however often each of them', () => {
    expect(ask(ofImage(times(9, (index) => onOther(index % 3)))).decision).toBe('pass');
    expect(ask(ofImage(times(4, onOther)))).toMatchObject({
      decision: 'ask',
      reason: `4 nodes of the machine image ${id} were treated in the last 7 days (reclaim): the image leaks, and a new node of it will as well`,
    });
  });

  it('goes on once a person has approved it, and says that', () => {
    expect(ask(ofNode(times(3)), true)).toMatchObject({
      decision: 'pass',
      reason: expect.stringContaining('a person approved it, although this node was treated 3 times'),
    });
  });

  it('asks where the image is not known, and refuses where nothing is, also with an approval', () => {
    expect(ask({ days: 7, node: [], image: null }).decision).toBe('ask');
    expect(ask(undefined).decision).toBe('refuse');
    expect(ask(undefined, true).decision).toBe('refuse');
  });

  it('never keeps people from being told', () => {
    expect(ask(undefined, false, 'notify').decision).toBe('pass');
  });
});
