import type { LocalNode } from '../../local/local-node.ts';
import { RecordedAround, recordedTags } from '../../local/node/recorded-around.ts';

/**
 * A recorded node whose objects in its cluster, and whose group, have names of its own: several of one recording can then be in
 * one cluster at the same time.
 */
export function asOneOfMany(node: LocalNode): LocalNode {
  const { instanceId, around } = node.managed;
  if (around?.group === undefined) throw new Error(`nothing says who replaces ${node.title}`);
  const own = (text: string): string => `${text}-${instanceId}`;
  const { cluster, group } = around;
  const named = JSON.stringify({ cluster, group }, (key, value) =>
    (key === 'name' || key === 'uid') && typeof value === 'string' ? own(value) : value,
  );
  const renamed = RecordedAround.parse({ ...around, ...JSON.parse(named) });
  return { ...node, managed: { ...node.managed, around: renamed, tags: recordedTags(renamed) } };
}
