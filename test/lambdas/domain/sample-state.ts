import type { IncidentState } from '../../../lambdas/domain/incident-state.ts';

/** An incident that has just been opened. */
export function openedState(change: Partial<IncidentState> = {}): IncidentState {
  const at = '2026-11-21T06:00:00.000Z';
  const where = { cluster: 'prod', instanceId: 'i-0123456789abcdef0' };
  return {
    version: 1,
    step: 1,
    incident: {
      id: 'inc',
      execution: 'e',
      openedAt: at,
      alarm: { source: 'by-hand', id: 'a', at, ...where },
      ...where,
    },
    lease: { status: 'ours', fencing: 1, reason: '' },
    plan: [],
    ladder: { index: 0, status: 'rung' },
    voids: 0,
    results: [],
    ...change,
  };
}
