import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { recordedTree } from '../../local/node/recorded-node.ts';

/** Every `memory.low` of a recorded node, by its path. What a reclaim raised shows as a difference. */
export function protectionsOf(root: string): Record<string, string> {
  const hierarchy = join(root, 'sys/fs/cgroup');
  return Object.fromEntries(
    readdirSync(hierarchy, { recursive: true })
      .map(String)
      .filter((file) => file.endsWith('memory.low'))
      .map((file) => [file, readFileSync(join(hierarchy, file), 'utf8').trim()]),
  );
}

/** The same, as the node was recorded. */
export function recordedProtections(name: string): Record<string, string> {
  const prefix = 'sys/fs/cgroup/';
  return Object.fromEntries(
    Object.entries(recordedTree(name))
      .filter(([path]) => path.startsWith(prefix) && path.endsWith('memory.low'))
      .map(([path, text]) => [path.slice(prefix.length), String(text).trim()]),
  );
}
