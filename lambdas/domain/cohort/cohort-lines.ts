import type { CohortSettings } from '../settings/cohort.ts';
import { type Cohort, type Member, mostMembers } from './cohort.ts';
import { termsOf } from './waves.ts';

/** Nodes that a card lists; the audit trail of each has its own. */
const mostNodes = 30;
/** Words of one kind that a line counts. */
const mostCounted = 8;
const mostFactLines = 8;

type Counted = [word: string, nodes: number];

/** What a decision on a cohort covers, and who is in it, for the card. */
export function cohortLines(cohort: Cohort, settings: CohortSettings): string[] {
  const { members } = cohort;
  const { windowMinutes, canary, growth, stopAtFailures } = termsOf(cohort, settings);
  const waves = [1, 2, 3].map((at) => Math.min(canary * growth ** (at - 1), 64)).join(', then ');
  const failures = stopAtFailures === 1 ? 'the first that is not' : `${stopAtFailures} that are not`;
  return [
    `One decision for ${members.length} nodes: exactly this treatment, for this cause, on those below and on those of the same node groups and machine images that join until ${windowMinutes} minutes after it, each once, ${mostMembers} at most.`,
    `Treated in waves: first ${waves} and so on, each once all of the wave before were helped; it stops at ${failures}. Each node is looked at again before.`,
    ...counted(
      'Zones',
      countedBy(cohort, ({ zone }) => [zone]),
    ),
    ...counted(
      'Node groups',
      countedBy(cohort, ({ group }) => [group]),
    ),
    ...counted(
      'Machine images',
      countedBy(cohort, ({ image }) => [image]),
    ),
    ...factLines(cohort),
    `Nodes: ${nodeList(cohort)}`,
  ];
}

function nodeList({ members, words }: Cohort): string {
  const named = members.slice(0, mostNodes).map(({ instanceId, zone }) => {
    const where = zone === undefined ? undefined : words[zone];
    return where === undefined ? instanceId : `${instanceId} (${where})`;
  });
  const more = members.length - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** What all share comes first: the most common is what to look at. */
function factLines(cohort: Cohort): string[] {
  const shared = countedBy(cohort, ({ facts }) => facts).filter(([, nodes]) => nodes > 1);
  const all = cohort.members.length;
  return shared
    .slice(0, mostFactLines)
    .map(([fact, nodes]) => `In common, ${nodes === all ? `all ${all}` : `${nodes} of ${all}`}: ${fact}`);
}

function counted(title: string, all: readonly Counted[]): string[] {
  if (all.length === 0) return [];
  const some = all.slice(0, mostCounted).map(([word, nodes]) => `${word} ${nodes}`);
  const more = all.length - some.length;
  return [`${title}: ${some.join(', ')}${more > 0 ? ` and ${more} others` : ''}`];
}

/** Most first; of equals in the order of the alphabet. */
function countedBy(
  { members, words }: Cohort,
  of: (member: Member) => readonly (number | undefined)[],
): Counted[] {
  const counts = new Map<string, number>();
  for (const member of members) {
    for (const index of of(member)) {
      const word = index === undefined ? undefined : words[index];
      if (word !== undefined) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}
