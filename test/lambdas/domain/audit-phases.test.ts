import { expect, it } from 'vitest';
import { AuditStep } from '../../../lambdas/domain/audit/entry.ts';
import { phaseOfStep } from '../../../lambdas/domain/audit/phase-of-step.ts';

it('of every step the phase is known, and only closing is closing', () => {
  expect(AuditStep.options.filter((step) => phaseOfStep(step) === 'close')).toEqual(['incident.closed']);
});
