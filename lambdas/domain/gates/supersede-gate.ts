import type { Past } from '../history/past.ts';
import type { Rung } from '../treatments/treatment.ts';
import type { GateResult } from './gate.ts';

/**
 * Whether a replacement has made this rung pointless: a node that its owner was asked to replace goes, and may raise alarms until it
 * has. While a replacement is under way, its incident has the lease of the node; this is about what comes after it. Who else takes
 * the node away, the gate `others` sees.
 *
 * @param pasts the incidents of this node, the oldest first; `undefined` where they could not be read
 */
export function supersedeGate(
  pasts: readonly Past[] | undefined,
  { rung, approved, problem }: { rung: Pick<Rung, 'kind'>; approved: boolean; problem?: string },
): GateResult {
  const answer = (decision: GateResult['decision'], reason: string): GateResult => ({
    gate: 'supersede',
    decision,
    reason,
  });
  if (rung.kind === 'notify') return answer('pass', 'telling people is never too much');
  if (pasts === undefined) {
    return answer(
      'refuse',
      `whether this node was replaced already could not be read: ${problem ?? 'no reason given'}`,
    );
  }
  const last = pasts.findLast(({ done }) => done.some(({ treatment }) => treatment === 'replace-node'));
  const came = last?.done.findLast(({ treatment }) => treatment === 'replace-node')?.came;
  if (last === undefined || came === undefined) return answer('pass', 'nobody has had this node replaced');
  if (came === 'cured') {
    return answer(
      'refuse',
      `incident ${last.incident} has had this node replaced at ${last.closedAt}: it goes`,
    );
  }
  const broken = `the replacement of this node by incident ${last.incident} broke off (${came}), and it may go`;
  return approved ? answer('pass', `a person approved it, although ${broken}`) : answer('ask', broken);
}
