import { describe, expect, it } from 'vitest';
import { type Approval, decide, evidenceDigest } from '../../../lambdas/domain/approval/approval.ts';

const approval: Approval = {
  version: 1,
  id: 'inc-r0-v0',
  incident: 'inc',
  cluster: 'prod',
  instanceId: 'i-0123456789abcdef0',
  cohort: null,
  rung: {
    treatment: 'reclaim',
    kind: 'document',
    document: 'reclaim',
    arguments: { slices: '/user.slice' },
    risk: 'low',
    needs: 'approval',
    reason: '',
    standing: false,
    onceStopped: false,
    namesItsApproval: false,
    onlyWhenCalm: false,
    expects: { text: '', signal: 'dying', level: 'falls' },
  },
  evidenceDigest: 'd',
  requestedBy: 'alice',
  quorum: 1,
  createdAt: '2026-11-21T06:00:00.000Z',
  expiresAt: '2026-11-21T07:00:00.000Z',
  status: 'pending',
  decisions: [],
};
const inTime = new Date('2026-11-21T06:59:59.999Z');
const bob = { person: 'bob', door: 'local', decision: 'approve' } as const;

describe('decide', () => {
  it('records who approved, through which door, and when', () => {
    const result = decide(approval, bob, inTime, false);

    expect(result).toMatchObject({
      ok: true,
      approval: { status: 'approved', decisions: [{ ...bob, at: inTime.toISOString() }] },
    });
  });

  it('takes a denial only with a reason', () => {
    expect(decide(approval, { ...bob, decision: 'deny' }, inTime, false)).toMatchObject({ ok: false });
    expect(decide(approval, { ...bob, decision: 'deny', reason: ' ' }, inTime, false)).toMatchObject({
      ok: false,
    });
    expect(
      decide(approval, { ...bob, decision: 'deny', reason: 'not tonight' }, inTime, false),
    ).toMatchObject({
      ok: true,
      approval: { status: 'denied' },
    });
  });

  it('knows whoever asked by hand by the session that AWS has named after them', () => {
    const asked = { ...approval, requestedBy: 'AROAEXAMPLE:bob' };
    expect(decide(asked, bob, inTime, false)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('cannot approve it'),
    });
    expect(decide({ ...asked, requestedBy: 'AROAEXAMPLE:carol' }, bob, inTime, false)).toMatchObject({
      ok: true,
    });
  });

  it('refuses from the very moment of expiry', () => {
    expect(decide(approval, bob, new Date(approval.expiresAt), false)).toMatchObject({
      ok: false,
      reason: 'this approval expired at 2026-11-21T07:00:00.000Z',
    });
  });

  it.each(['approved', 'denied', 'expired', 'void'] as const)(
    'is single use: refuses when already %s',
    (status) => {
      expect(decide({ ...approval, status }, bob, inTime, false)).toMatchObject({
        ok: false,
        reason: `this approval is already ${status}`,
      });
    },
  );

  it('lets nobody approve what they asked for, but lets them deny it', () => {
    const alice = { ...bob, person: 'alice' };

    expect(decide(approval, alice, inTime, false)).toMatchObject({ ok: false });
    expect(decide(approval, alice, inTime, true)).toMatchObject({ ok: true });
    expect(decide(approval, { ...alice, decision: 'deny', reason: 'mistake' }, inTime, false)).toMatchObject({
      ok: true,
    });
  });
});

describe('evidenceDigest', () => {
  const bound = {
    instanceId: 'i-1',
    bootId: 'b',
    diagnosis: { cause: 'dying-memcgs' as const },
    rung: approval.rung,
    documentDigest: 'x',
  };

  it('is the same for the same, whatever the order of the arguments', () => {
    const one = { ...bound, rung: { ...approval.rung, arguments: { a: '1', b: '2' } } };
    const two = { ...bound, rung: { ...approval.rung, arguments: { b: '2', a: '1' } } };

    expect(evidenceDigest(one)).toBe(evidenceDigest(two));
  });

  it.each([
    ['instance', { instanceId: 'i-2' }],
    ['boot', { bootId: 'c' }],
    ['lost boot id', { bootId: undefined }],
    ['cause', { diagnosis: { cause: 'healthy' as const } }],
    ['variant', { diagnosis: { cause: 'dying-memcgs' as const, variant: 'v' } }],
    ['treatment', { rung: { ...approval.rung, treatment: 'notify' as const } }],
    ['name of the document', { rung: { ...approval.rung, document: 'reclaim-restore' } }],
    ['arguments', { rung: { ...approval.rung, arguments: { slices: '/user.slice /x' } } }],
    ['content of the document', { documentDigest: 'y' }],
  ])('moves with the %s', (_, change) => {
    expect(evidenceDigest({ ...bound, ...change })).not.toBe(evidenceDigest(bound));
  });
});
