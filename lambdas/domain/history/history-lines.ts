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

/**
 * Before a node is replaced: that the next one comes from an image whose nodes have leaked as well. Nothing where no other node of
 * it had to be treated.
 */
export function imageWarning({ days, image }: History, instanceId: string): string[] {
  if (image === null) return [];
  const treated = image.pasts.filter(
    ({ done, instanceId: other }) => done.length > 0 && other !== instanceId,
  );
  const nodes = new Set(treated.map((past) => past.instanceId)).size;
  if (nodes === 0) return [];
  return [
    `Unless its launch template or node class names another by now, the new node comes from the same image ${image.id}, on which ${counted(nodes, 'other node')} ${nodes === 1 ? 'was' : 'were'} treated in the last ${days === 1 ? 'day' : `${days} days`}: it will leak again.`,
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
