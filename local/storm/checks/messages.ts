import { mostMessages } from '../../../lambdas/domain/roll/roll.ts';
import type { RollSettings } from '../../../lambdas/domain/settings/roll.ts';
import { type Facts, toldFor, type Violation } from '../facts.ts';

/** After so long without one, the end of a burst is told of whatever it brings. */
const calmMs = 5 * 60_000;

/** Messages of calls for a person and of ends, and the most there may be, by the causes that were found. */
export function countMessages(
  { messages, trails }: Pick<Facts, 'messages' | 'trails'>,
  roll: RollSettings,
): { count: number; most: number } {
  const count = messages.filter(({ kind }) => kind === 'call-a-person' || kind === 'incident-closed').length;
  const times = trails.flatMap(({ entries }) => entries.map(({ at }) => Date.parse(at)));
  const calms = times.length === 0 ? 0 : Math.floor((Math.max(...times) - Math.min(...times)) / calmMs);
  const byCause = Map.groupBy(trails, toldFor);
  const most = [...byCause.values()].reduce(
    (sum, own) => sum + mostMessages(own.length, roll) + Math.min(roll.singly, own.length) + calms,
    0,
  );
  return { count, most };
}

/** People got more messages than a roll allows. */
export function tooManyMessages(facts: Pick<Facts, 'messages' | 'trails'>, roll: RollSettings): Violation[] {
  const { count, most } = countMessages(facts, roll);
  return count <= most
    ? []
    : [
        {
          check: 'messages',
          what: `people got ${count} messages of ends and calls, and ${most} are the most`,
        },
      ];
}
