import { describe, expect, it } from 'vitest';
import { decide, evidenceDigest } from '../../../lambdas/domain/approval/approval.ts';
import { sampleApproval, someone } from './sample-approval.ts';

const approval = sampleApproval({ requestedBy: 'alice' });
const inTime = new Date('2026-11-21T06:59:59.999Z');
const bob = { person: someone('bob'), door: 'local', decision: 'approve' } as const;

describe('decide', () => {
  it('records who approved, through which door, and when', () => {
    const result = decide(approval, bob, inTime, false);

    expect(result).toMatchObject({
      ok: true,
      approval: {
        status: 'approved',
        decisions: [{ person: 'bob', door: 'local', decision: 'approve', at: inTime.toISOString() }],
      },
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
    const alice = { ...bob, person: someone('alice') };

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
