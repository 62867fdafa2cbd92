import type { Approval } from '../../../../lambdas/domain/approval/approval.ts';
import type { Person } from '../../../../lambdas/domain/approval/person.ts';

/** An approval that waits for one person, from 06:00 to 07:00. */
export function sampleApproval(change: Partial<Approval> = {}): Approval {
  return {
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
      disrupts: false,
      expects: { text: '', signal: 'dying', level: 'falls' },
    },
    evidenceDigest: 'd',
    requestedBy: null,
    quorum: 1,
    approvers: [],
    createdAt: '2026-11-21T06:00:00.000Z',
    remindAt: null,
    escalateAt: null,
    escalateTo: null,
    expiresAt: '2026-11-21T07:00:00.000Z',
    status: 'pending',
    decisions: [],
    ...change,
  };
}

/** Somebody whom a door knows by this name and nothing else. */
export function someone(id: string, change: Partial<Person> = {}): Person {
  return { id, known: false, groups: [], aliases: [], ...change };
}
