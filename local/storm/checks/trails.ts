import { verifyTexts } from '../../../lambdas/domain/audit/verify-trail.ts';
import type { Facts, Violation } from '../facts.ts';

/** An alarm came to no incident, an incident to no end, or its audit trail is broken or open. */
export function trailProblems({
  nodes,
  trails,
  ended,
  publicKey,
}: Pick<Facts, 'nodes' | 'trails' | 'ended' | 'publicKey'>): Violation[] {
  const known = new Set(trails.map(({ instanceId }) => instanceId));
  const lost = nodes.filter(({ instanceId }) => !known.has(instanceId));
  return [
    ...lost.map(({ instanceId }) => ({
      check: 'lost',
      what: `the alarm of ${instanceId} came to no incident`,
    })),
    ...trails.flatMap(({ incident, lines, entries }) => {
      if (!ended.has(incident)) return [{ check: 'lost', what: `${incident} has not come to its end` }];
      if (!entries.some(({ step }) => step === 'incident.closed')) {
        return [{ check: 'audit', what: `the trail of ${incident} does not say how it ended` }];
      }
      const { ok, state, firstBroken, note } = verifyTexts(lines, publicKey);
      const why = firstBroken === undefined ? note : `line ${firstBroken.line}: ${firstBroken.reason}`;
      return ok ? [] : [{ check: 'audit', what: `the trail of ${incident} is ${state}: ${why}` }];
    }),
  ];
}
