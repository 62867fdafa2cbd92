import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';

/** The files of a recorded node: path below its root → content. A path that ends in "/" is an empty folder. */
export const Tree = z.record(z.string().regex(/^(?!\/)(?!.*(^|\/)\.\.(\/|$)).+$/), z.string());
export type Tree = z.infer<typeof Tree>;

/** Files that a repair writes to: made as FIFOs, so that the model hears of every write. */
const knobs = ['memory.reclaim', 'memory.force_empty', 'drop_caches'];

export function readTree(file: string): Tree {
  return Tree.parse(JSON.parse(readFileSync(file, 'utf8')));
}

/** What one node has otherwise than the node whose tree it shares: a file of its own, or `null` for none. */
const Difference = z.record(z.string(), z.string().nullable());

/** A tree with the differences in `file`. */
export function changedTree(tree: Tree, file: string): Tree {
  const difference = Difference.parse(JSON.parse(readFileSync(file, 'utf8')));
  const all = Object.entries({ ...tree, ...difference });
  return Tree.parse(Object.fromEntries(all.filter(([, content]) => content !== null)));
}

/** Makes the files of a tree below `root`; returns the paths of the FIFOs among them, relative to it. */
export function materialise(tree: Tree, root: string): string[] {
  const fifos: string[] = [];
  for (const [path, content] of Object.entries(tree)) {
    const target = join(root, path);
    if (path.endsWith('/')) {
      mkdirSync(target, { recursive: true });
      continue;
    }
    mkdirSync(dirname(target), { recursive: true });
    if (knobs.some((knob) => path.endsWith(`/${knob}`))) fifos.push(path);
    // The commands that a recorded node brings along.
    else writeFileSync(target, content, { mode: path.startsWith('usr/bin/') ? 0o755 : 0o644 });
  }
  if (fifos.length > 0) execFileSync('mkfifo', ['-m', '600', '--', ...fifos.map((path) => join(root, path))]);
  return fifos;
}
