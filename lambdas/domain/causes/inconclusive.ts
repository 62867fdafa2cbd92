import type { Gap } from '../evidence/gaps.ts';
import { howToGet } from '../evidence/how-to-get.ts';
import { figureWithLimit } from '../explanation.ts';
import type { CauseId, Verdict } from './cause.ts';

export type Judged = { id: CauseId; verdict: Verdict };

/** So much of it is read at night. What is left out is counted. */
const mostItems = 6;
const mostReasons = 3;
const longestReason = 90;

/**
 * The explanation where no cause matches, or none is to be acted on (`why`): which verdicts are open for want of
 * evidence, what was ruled out, and what to collect next, why it is not there, and how to get it; not what the node has
 * nothing of (`absent`). It is an answer of its
 * own, and it always calls a person. Bounded, whatever the evidence says.
 */
export function explainInconclusive(
  judged: readonly Judged[],
  gaps: readonly Gap[],
  why?: string,
  absent: ReadonlySet<string> = new Set(),
): string {
  const open = judged.flatMap(({ id, verdict }) =>
    verdict.result === 'insufficient-evidence' ? [{ id, needs: verdict.needs }] : [],
  );
  const excluded = judged.filter(({ verdict }) => verdict.result === 'excluded').map(({ id }) => id);
  const faults = excluded.filter((id) => id !== 'healthy');
  const unwell = judged
    .filter(({ id, verdict }) => id === 'healthy' && verdict.result === 'excluded')
    .flatMap(({ verdict }) => verdict.findings.filter(({ speaks }) => speaks === 'against'))
    .map(figureWithLimit);
  const items = toCollect(open, gaps, absent);
  return [
    `${why ?? 'No known cause explains what was seen.'} This is not a finding of health.`,
    open.length > 0
      ? `Open for want of evidence: ${open.map(({ id, needs }) => `${id} (needs ${needs.join(', ')})`).join('; ')}.`
      : '',
    faults.length > 0 ? `Ruled out: ${faults.join(', ')}.` : '',
    unwell.length > 0 ? `Against health: ${bounded(unwell).join('; ')}.` : '',
    ...(items.length > 0 ? ['To collect next:', ...bounded(items).map((item) => `- ${item}`)] : []),
  ]
    .filter((sentence) => sentence !== '')
    .join('\n');
}

/** What the open verdicts need comes first, the most needed before the rest; then the other gaps. */
function toCollect(
  open: readonly { needs: string[] }[],
  gaps: readonly Gap[],
  absent: ReadonlySet<string>,
): string[] {
  const wanted = new Map<string, number>();
  for (const { needs } of open) {
    for (const need of needs) wanted.set(need, (wanted.get(need) ?? 0) + 1);
  }
  const needs = [...wanted].sort(([, a], [, b]) => b - a).map(([need]) => need);
  const others = gaps.map(({ probe }) => probe).filter((probe) => !wanted.has(probe));
  // One item for each way to get it: they are collected together.
  const ways = new Map<string, string[]>();
  for (const need of [...needs, ...others].filter((one) => !absent.has(one.split('.')[0] ?? one))) {
    const way = howToGet(need);
    ways.set(way, [...(ways.get(way) ?? []), need]);
  }
  return [...ways].map(([way, probes]) => `${namesWithReasons(probes, gaps)}: ${way}`);
}

/** Those with the same reason together: `memory, pressure (it took too long)`. */
function namesWithReasons(probes: readonly string[], gaps: readonly Gap[]): string {
  const byReason = new Map<string, string[]>();
  for (const probe of probes) {
    const reason = reasonFor(probe, gaps);
    byReason.set(reason, [...(byReason.get(reason) ?? []), probe]);
  }
  const groups = [...byReason].map(([reason, names]) => `${bounded(names).join(', ')} (${reason})`);
  return bounded(groups, mostReasons).join(', ');
}

function reasonFor(need: string, gaps: readonly Gap[]): string {
  const [probe = need] = need.split('.');
  const gap = gaps.find((one) => one.probe === need) ?? gaps.find((one) => one.probe === probe);
  const reason = gap?.reason ?? 'it was not read';
  return reason.length > longestReason ? `${reason.slice(0, longestReason)}…` : reason;
}

function bounded(items: readonly string[], most = mostItems): string[] {
  return items.length > most ? [...items.slice(0, most), `and ${items.length - most} more`] : [...items];
}
