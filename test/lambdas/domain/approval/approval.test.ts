import { describe, expect, it } from 'vitest';
import { decide, evidenceDigest } from '../../../../lambdas/domain/approval/approval.ts';
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

describe('a quorum', () => {
  const two = sampleApproval({ quorum: 2, approvers: ['@oncall'] });
  const member = (id: string, change = {}) => someone(id, { known: true, groups: ['oncall'], ...change });
  const approve = (approval: typeof two, person: ReturnType<typeof someone>, when = inTime) =>
    decide(approval, { person, door: 'slack', decision: 'approve' }, when, false);
  const first = () => {
    const result = approve(two, member('ana'));
    if (!result.ok) throw new Error(result.reason);
    return result;
  };

  it('is met by different people only, by whatever name they come', () => {
    expect(first()).toMatchObject({ settled: false, approval: { status: 'pending', decisions: [{}] } });
    const { approval } = first();
    expect(approve(approval, member('ana'))).toMatchObject({
      ok: false,
      reason: expect.stringContaining('has approved already'),
    });
    expect(approve(approval, member('root', { aliases: ['arn:aws:iam::1:user/ana'] })).ok).toBe(false);
    expect(approve(approval, member('bob'))).toMatchObject({
      ok: true,
      settled: true,
      approval: { status: 'approved', decisions: [{ person: 'ana' }, { person: 'bob' }] },
    });
  });

  it('is ended by one denial, also of somebody who had approved', () => {
    const { approval } = first();
    const request = {
      person: member('ana'),
      door: 'slack',
      decision: 'deny',
      reason: 'looked again',
    } as const;
    expect(decide(approval, request, inTime, false)).toMatchObject({
      ok: true,
      settled: true,
      approval: { status: 'denied' },
    });
  });

  it('is not met by whom the settings do not know: it may be the same person again', () => {
    const open = sampleApproval({ quorum: 2 });
    expect(approve(open, someone('arn:aws:iam::1:role/Admin'))).toMatchObject({
      ok: false,
      reason: expect.stringContaining('not one of people'),
    });
  });
});

describe('who may decide', () => {
  const escalated = sampleApproval({
    approvers: ['ana'],
    escalateTo: 'managers',
    escalateAt: '2026-11-21T06:45:00.000Z',
  });
  const deny = (person: ReturnType<typeof someone>, when: string) =>
    decide(escalated, { person, door: 'slack', decision: 'deny', reason: 'no' }, new Date(when), false);
  const manager = someone('max', { known: true, groups: ['managers'] });

  it('are those whom the settings name, and the second group once it has been told', () => {
    expect(deny(someone('ana', { known: true }), '2026-11-21T06:01:00Z').ok).toBe(true);
    expect(deny(someone('eve', { known: true }), '2026-11-21T06:50:00Z')).toMatchObject({
      ok: false,
      reason: 'eve may not decide on low risk in prod: its settings name ana',
    });
    expect(deny(manager, '2026-11-21T06:44:59Z').ok).toBe(false);
    expect(deny(manager, '2026-11-21T06:45:00Z').ok).toBe(true);
  });

  it('are one more where a team has one person, and each time that is written down', () => {
    const asked = sampleApproval({ requestedBy: 'AROAEXAMPLE:ana' });
    const ana = { person: someone('ana'), door: 'local', decision: 'approve' } as const;
    expect(decide(asked, ana, inTime, true)).toMatchObject({
      approval: { decisions: [{ onePersonTeam: true }] },
    });
    const other = decide(asked, { ...ana, person: someone('bob') }, inTime, true);
    expect(other.ok && other.approval.decisions[0]).not.toHaveProperty('onePersonTeam');
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
