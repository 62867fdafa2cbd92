import type { History, Past } from './past.ts';

/** Incidents of a node that are told one by one. */
const mostTold = 5;

/** What happened to this node and to its machine image before, in plain words, for a card. */
export function historyLines({ days, node, image }: History): string[] {
  const lately = `in the last ${days} ${days === 1 ? 'day' : 'days'}`;
  return [
    node.length === 0
      ? `This node: no incident ${lately}.`
      : `This node: ${counted(node.length, 'incident')} ${lately}.`,
    ...node.slice(-mostTold).map(told),
    ...(image === null ? ['Its machine image is not known.'] : [imageLine(image, lately)]),
  ];
}

function told({ closedAt, cause, outcome, done }: Past): string {
  const what =
    done.length === 0
      ? 'nothing was done to the node'
      : done.map(({ treatment, came }) => `${treatment} (${came})`).join(', ');
  return `${closedAt.slice(0, 16)}Z ${cause ?? 'no diagnosis'}: ${what}; ended as ${outcome}`;
}

function imageLine({ id, pasts }: { id: string; pasts: readonly Past[] }, lately: string): string {
  const nodes = new Set(pasts.map(({ instanceId }) => instanceId)).size;
  if (pasts.length === 0) return `Its machine image ${id}: no incident ${lately}.`;
  const outcomes = tally(pasts.map(({ outcome }) => outcome));
  const treatments = tally(
    pasts.flatMap(({ done }) => done.map(({ treatment, came }) => `${treatment} ${came}`)),
  );
  const did = treatments === '' ? '' : ` What was done: ${treatments}.`;
  return `Its machine image ${id}: ${counted(pasts.length, 'incident')} on ${counted(nodes, 'node')} ${lately}, which ended as ${outcomes}.${did}`;
}

/** `cured 3, failed 1`, the most frequent first. */
function tally(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
