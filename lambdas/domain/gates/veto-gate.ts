import { printable } from '../printable.ts';
import type { Rung } from '../treatments/treatment.ts';
import type { GateResult } from './gate.ts';

/** What was found at one of the places where a veto can stand. `value` null: there is none. */
export type VetoRead = { where: string } & ({ value: string | null } | { problem: string });

/**
 * Somebody has marked this very node as not to be touched, for as long as the mark stands.
 *
 * @param reads of all places where it can stand; none is a refusal, for then nothing was looked at
 */
export function vetoGate(
  reads: readonly VetoRead[],
  { rung, key }: { rung: Pick<Rung, 'kind'>; key: string },
): GateResult {
  const answer = (decision: GateResult['decision'], reason: string): GateResult => ({
    gate: 'veto',
    decision,
    reason,
  });
  if (rung.kind === 'notify') return answer('pass', 'telling people is never too much');
  for (const read of reads) {
    if ('value' in read && read.value !== null) {
      const why = printable(read.value.trim()).slice(0, 256);
      return answer(
        'refuse',
        `the ${read.where} has a veto, ${key}: ${why === '' ? 'no reason given' : why}. It holds until that is taken away`,
      );
    }
  }
  const unread = reads.find((read) => 'problem' in read);
  if (unread !== undefined && 'problem' in unread) {
    return answer('refuse', `whether the ${unread.where} has a veto could not be read: ${unread.problem}`);
  }
  return reads.length === 0
    ? answer('refuse', 'nobody has looked for a veto')
    : answer('pass', `no veto ${key}: ${reads.map(({ where }) => where).join(', ')}`);
}
