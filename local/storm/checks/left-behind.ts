import { openChanges } from '../../../lambdas/domain/audit/open-changes.ts';
import type { Facts, Violation } from '../facts.ts';

/** Something is still held, open or standing when everything is over. */
export function leftBehind({ left, trails }: Pick<Facts, 'left' | 'trails'>): Violation[] {
  const violation = (what: string): Violation => ({ check: 'left-behind', what });
  return [
    ...left.leases.map(({ instanceId, holder }) =>
      violation(`${holder} still has the lease of ${instanceId}`),
    ),
    ...left.budget.holders.map(({ incident }) => violation(`${incident} still holds a place in the budget`)),
    ...left.budget.waiting.map(({ incident }) =>
      violation(`${incident} still waits for a place in the budget`),
    ),
    ...left.cordoned.map((node) => violation(`${node} is still cordoned`)),
    ...trails.flatMap(({ incident, entries }) =>
      openChanges(entries).map(({ treatment }) =>
        violation(`${incident} does not say what became of ${treatment} on its node`),
      ),
    ),
  ];
}
