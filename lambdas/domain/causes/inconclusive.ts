import type { Gap } from '../evidence/gaps.ts';
import type { CauseId, Verdict } from './cause.ts';

export type Judged = { id: CauseId; verdict: Verdict };

/**
 * The explanation where no cause matches, or none is to be acted on (`why`): which verdicts are open for want of evidence, what was ruled out, and what
 * to collect next. It is an answer of its own, and it always calls a person.
 */
export function explainInconclusive(judged: Judged[], gaps: Gap[], why?: string): string {
  const open = judged.flatMap(({ id, verdict }) =>
    verdict.result === 'insufficient-evidence' ? [`${id} (needs ${verdict.needs.join(', ')})`] : [],
  );
  const excluded = judged.flatMap(({ id, verdict }) => (verdict.result === 'excluded' ? [id] : []));
  return [
    `${why ?? 'No known cause explains what was seen.'} This is not a finding of health.`,
    open.length > 0 ? `Open for want of evidence: ${open.join('; ')}.` : '',
    excluded.length > 0 ? `Ruled out: ${excluded.join(', ')}.` : '',
    gaps.length > 0 ? `To collect next: ${byReason(gaps).join('; ')}.` : '',
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');
}

/** A node that does not answer has every probe missing for one reason, which is said once. */
function byReason(gaps: Gap[]): string[] {
  return [...Map.groupBy(gaps, ({ reason }) => reason)].map(
    ([reason, alike]) => `${alike.map(({ probe }) => probe).join(', ')} (${reason})`,
  );
}
