import { Outcome } from '../incident-state.ts';
import type { Message } from '../message.ts';
import { needyQuery } from './needy.ts';
import type { Roll } from './roll.ts';

/** Nodes that a message names; mail and Slack have to be read by people. */
const mostNamed = 20;

type Subject = { cluster: string; cause: string; incident: string };

/**
 * What people are told of many incidents at once.
 *
 * @param incident the one that closed last, or left for another cause
 */
export function summaryMessage(
  { since, closings, open, outcomes, needed, needy }: Roll,
  { cluster, cause, incident }: Subject,
): Omit<Message, 'version'> {
  const counted = Outcome.options.flatMap((outcome) =>
    outcomes[outcome] === undefined ? [] : [`${outcomes[outcome]} ${outcome}`],
  );
  const what = `${closings} incidents of ${cause} in ${cluster} since ${since}`;
  return {
    kind: needed > 0 ? 'call-a-person' : 'incident-closed',
    incident,
    cluster,
    title: `${cluster}: ${closings} incidents of ${cause} closed, ${needed} need a person, ${open.length} open`,
    text: [
      `${what}: ${counted.join(', ')}; still open: ${open.length}.`,
      needed === 0 ? 'No node needs a person.' : `Nodes that need a person: ${named(needy, needed)}.`,
      'The first of them were told of one by one, and the rest is told of in summaries such as this one.',
      `The audit has every step of each. All nodes that need a person: the saved query "cgroup-medic/${needyQuery}" of Logs Insights, or "npm run audit -- show FILE --needy" on an export.`,
    ].join('\n'),
  };
}

/** The newest first: they have been in no message yet. */
function named(needy: Roll['needy'], needed: number): string {
  const names = needy.toReversed().slice(0, mostNamed);
  const list = names.map(({ instanceId, outcome }) => `${instanceId} (${outcome})`).join(', ');
  const more = needed - names.length;
  return more > 0 ? `${list} and ${more} more` : list;
}
