import { describe, expect, it } from 'vitest';
import { isActive, Pause } from '../../../../lambdas/domain/gates/pause.ts';
import { pauseGate } from '../../../../lambdas/domain/gates/pause-gate.ts';
import { type VetoRead, vetoGate } from '../../../../lambdas/domain/gates/veto-gate.ts';
import { Gates } from '../../../../lambdas/domain/settings/gates.ts';
import { Veto } from '../../../../lambdas/domain/settings/veto.ts';

const now = new Date('2026-11-28T10:00:00Z');
const treating = { kind: 'document' } as const;
const telling = { kind: 'notify' } as const;
const pause = (name: string, until: string, change: Partial<Pause> = {}): Pause =>
  Pause.parse({
    version: 1,
    name,
    reason: 'the release of the year',
    until,
    by: 'ana',
    arn: 'arn:aws:iam::000000000000:user/ana',
    at: '2026-11-28T08:00:00Z',
    ...change,
  });
const later = '2026-11-28T18:00:00.000Z';
const ask = (pauses: Pause[], { approved = false, waitMinutes = 15, unreadable = [] as string[] } = {}) =>
  pauseGate({ pauses, unreadable }, { rung: treating, settings: { waitMinutes }, now, approved });

describe('pauseGate', () => {
  it('passes where nobody has paused, and where pauses are over or were ended', () => {
    const ended = { at: '2026-11-28T09:00:00.000Z', by: 'bob', arn: 'arn' };
    expect(ask([]).decision).toBe('pass');
    expect(ask([pause('a', now.toISOString()), pause('b', later, { ended })])).toEqual({
      gate: 'pause',
      decision: 'pass',
      reason: 'nobody has paused this cluster',
    });
    expect(isActive(pause('a', '2026-11-28T10:00:00.001Z'), now)).toBe(true);
  });

  it('refuses while one holds, and says which, who, why and until when', () => {
    expect(ask([pause('release', later)])).toEqual({
      gate: 'pause',
      decision: 'refuse',
      reason:
        'this cluster is paused: release, by ana (arn:aws:iam::000000000000:user/ana) until 2026-11-28T18:00:00.000Z: the release of the year',
    });
  });

  it('waits for the end of one that is near, until the last of several', () => {
    const near = '2026-11-28T10:15:00.000Z';
    const nearer = '2026-11-28T10:05:00.000Z';
    expect(ask([pause('a', nearer), pause('b', near)])).toMatchObject({ decision: 'wait', until: near });
    expect(ask([pause('b', near)], { waitMinutes: 14 }).decision).toBe('refuse');
    expect(ask([pause('b', near)], { waitMinutes: 0 }).decision).toBe('refuse');
    expect(ask([pause('a', nearer), pause('c', later)])).toMatchObject({
      decision: 'refuse',
      reason: expect.stringMatching(/: c, by .*; a, by /),
    });
  });

  it('refuses, and does not wait, what a person has approved meanwhile', () => {
    expect(ask([pause('b', '2026-11-28T10:05:00.000Z')], { approved: true }).decision).toBe('refuse');
  });

  it('refuses where pauses, or one of them, cannot be read', () => {
    const asked = { rung: treating, settings: { waitMinutes: 15 }, now, approved: false };
    expect(pauseGate(undefined, { ...asked, problem: 'the table is away' })).toMatchObject({
      decision: 'refuse',
      reason: 'the pauses of this cluster could not be read: the table is away',
    });
    expect(ask([], { unreadable: ['odd'] })).toMatchObject({
      decision: 'refuse',
      reason: expect.stringContaining('cannot be read, so it may hold: odd'),
    });
  });

  it('lets people be told, whatever it says', () => {
    const asked = { rung: telling, settings: { waitMinutes: 15 }, now, approved: false };
    expect(pauseGate(undefined, asked).decision).toBe('pass');
    expect(pauseGate({ pauses: [pause('a', later)], unreadable: [] }, asked).decision).toBe('pass');
  });

  it('names three of many', () => {
    const { reason } = ask(['a', 'b', 'c', 'd', 'e'].map((name) => pause(name, later)));
    expect(reason).toMatch(/; and 2 more$/);
  });
});

describe('vetoGate', () => {
  const key = 'cgroup-medic/veto';
  const veto = (...reads: VetoRead[]) => vetoGate(reads, { rung: treating, key });

  it('passes where every place was read and has none', () => {
    expect(veto({ where: 'instance', value: null }, { where: 'node', value: null })).toEqual({
      gate: 'veto',
      decision: 'pass',
      reason: 'no veto cgroup-medic/veto: instance, node',
    });
  });

  it.each([
    ['instance', 'held for the vendor', 'held for the vendor'],
    ['node', '', 'no reason given'],
    ['node', 'false', 'false'],
    ['instance', 'a\u001b[2Jb', 'a·[2Jb'],
  ])('refuses where the %s has one, whatever its value: "%s"', (where, value, why) => {
    const other = { where: 'other', problem: 'away' };
    expect(veto(other, { where, value })).toMatchObject({
      decision: 'refuse',
      reason: `the ${where} has a veto, cgroup-medic/veto: ${why}. It holds until that is taken away`,
    });
  });

  it('refuses where a place could not be read, and where nobody has looked', () => {
    expect(veto({ where: 'instance', value: null }, { where: 'node', problem: 'no answer' })).toMatchObject({
      decision: 'refuse',
      reason: 'whether the node has a veto could not be read: no answer',
    });
    expect(veto()).toMatchObject({ decision: 'refuse', reason: 'nobody has looked for a veto' });
  });

  it('lets people be told of a node with one', () => {
    expect(vetoGate([{ where: 'node', value: 'x' }], { rung: telling, key }).decision).toBe('pass');
  });
});

describe('the settings', () => {
  it('have a veto and a short wait for the end of a pause', () => {
    expect(Gates.parse({})).toMatchObject({
      pauses: { waitMinutes: 15 },
      veto: { key: 'cgroup-medic/veto', nodeLabel: true },
    });
  });

  it.each(['no-touch', 'example.com/Hands_off', 'a'.repeat(63)])('take "%s" as a key', (key) => {
    expect(Veto.parse({ key }).key).toBe(key);
  });

  it.each([
    '',
    '*',
    'a b',
    'Example.com/x',
    'a/b/c',
    'x/',
    '/x',
    'aws:x',
    'x?',
    'a'.repeat(64),
    `${'a'.repeat(70)}/x`,
  ])('refuse "%s" as a key', (key) => {
    expect(Veto.safeParse({ key }).success).toBe(false);
  });

  it.each([
    ['a name with a capital', { name: 'Release' }],
    ['no reason', { reason: ' ' }],
    ['a reason of two lines', { reason: 'a\nb' }],
    ['a reason that moves the cursor', { reason: 'a\u001b[2J' }],
    ['a day without an hour', { until: '2026-11-28' }],
    ['another version', { version: 2 }],
  ])('a pause with %s is none', (_, change) => {
    expect(Pause.safeParse({ ...pause('a', later), ...change }).success).toBe(false);
  });
});
