import { relative } from 'node:path';
import type { StormResult } from './result.ts';

const barWidth = 40;

/** What a storm came to, for people. */
export function textOf(result: StormResult): string {
  const { nodes, cause, seed, mode, approve, seconds, recorded, cards, messages, violations } = result;
  return [
    `${number(nodes, 'node')} with ${cause}, seed ${seed}, mode ${mode}, cards answered ${approve}: ${seconds} s on this machine`,
    `fleet      ${listed(result.fates)}; they answer with ${recorded.outputs} outputs of the real documents, which ran on ${number(recorded.samples, 'recorded node')}`,
    `incidents  ${result.incidents}: ${listed(result.outcomes)}`,
    `diagnosed  ${listed(result.causes)}, at first`,
    `asked      ${number(cards.asked, 'card')}: ${listed(cards.answers)}`,
    ...result.cohorts.map(cohortLine),
    `treated    ${result.treated.map(({ treatment, count, nodes: on }) => `${treatment} ${number(count, 'time')} on ${number(on, 'node')}`).join(', ') || 'nothing'}`,
    `not done   ${listed(result.refused)}`,
    `told       ${listed(messages.byKind)}; ends and calls together ${messages.told}, where ${messages.most} may be`,
    '',
    'treatments that began, and those under way, over the time of this machine:',
    ...timeline(result.timeline),
    '',
    'disrupted at once, at the most, and how many may be:',
    ...result.inFlight.map(({ where, peak, most }) => `  ${where.padEnd(24)} ${peak} of ${most}`),
    '',
    'calls as a deployment would make them (docs/storm.md says how the waits here are accounted for); the peak is within one second:',
    ...rates(result.rates),
    '',
    violations.length === 0 ? 'nothing was violated' : `${number(violations.length, 'violation')}:`,
    ...violations.map(({ check, what }) => `  ${check}: ${what}`),
    `audit      ${relative('', result.audit)}`,
  ].join('\n');
}

function cohortLine({ treatment, nodes, cards, waves, notTreated }: StormResult['cohorts'][number]): string {
  const asked = cards === 0 ? 'without a card' : `by ${number(cards, 'card')}`;
  const rest = notTreated === 0 ? '' : `; ${notTreated} not treated, for it was stopped or not approved`;
  return `together   ${treatment}: ${number(nodes, 'node')} ${asked}, in waves of ${waves.map(({ treated }) => treated).join(', ') || 'none'}${rest}`;
}

function number(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function listed(counts: Record<string, number>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

function timeline(steps: StormResult['timeline']): string[] {
  const most = Math.max(1, ...steps.map(({ open }) => open));
  return steps.map(({ fromSeconds, began, open }) => {
    const bar = '#'.repeat(Math.ceil((open / most) * barWidth));
    return `  ${String(fromSeconds).padStart(5)} s  ${String(began).padStart(5)} began ${String(open).padStart(5)} under way  ${bar}`;
  });
}

function rates(list: StormResult['rates']): string[] {
  const head = ['call', 'in all', 'peak/s', 'here/s', 'quota/s', 'bucket', 'throttled'];
  const rows = list.map(({ call, count, peak, peakHere, quota }) => [
    call,
    String(count),
    String(peak),
    String(peakHere),
    ...(quota === undefined ? ['–', '–', '–'] : [quota.perSecond, quota.bucket, quota.throttled].map(String)),
  ]);
  const widths = head.map((title, index) =>
    Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  return [head, ...rows].map(
    (row) =>
      `  ${row.map((cell, index) => (index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0))).join('  ')}`,
  );
}
