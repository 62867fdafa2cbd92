import type { Standing } from '../../../../lambdas/domain/standing/standing.ts';

export const from = new Date('2026-11-01T00:00:00Z');

export function sampleStanding(change: Partial<Standing> = {}): Standing {
  return {
    version: 1,
    id: 'incident-1-r3',
    cluster: 'prod',
    nodeGroup: 'workers',
    treatment: 'standing-reclaim',
    cause: 'session-churn',
    threshold: 2000,
    incident: 'incident-1',
    approvedBy: 'ana',
    approval: 'incident-1-r3-v0',
    from: from.toISOString(),
    until: new Date(from.getTime() + 14 * 86_400_000).toISOString(),
    ...change,
  };
}

export function inDays(days: number): Date {
  return new Date(from.getTime() + days * 86_400_000);
}
