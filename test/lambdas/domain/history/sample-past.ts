import type { Past } from '../../../../lambdas/domain/history/past.ts';

/** An incident of the past in which reclaim helped. */
export function samplePast(change: Partial<Past> = {}): Past {
  return {
    version: 1,
    incident: 'inc-1',
    instanceId: 'i-0123456789abcdef0',
    imageId: 'ami-0123456789abcdef0',
    closedAt: '2026-11-20T03:12:44.000Z',
    cause: 'dying-memcgs',
    outcome: 'cured',
    done: [{ treatment: 'reclaim', came: 'cured' }],
    ...change,
  };
}
