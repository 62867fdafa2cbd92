import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
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

/**
 * What one node has otherwise than the node whose tree it shares: a file of its own as text or as lines, `null` for none, or
 * the numbers that differ in a file of "key number" lines. A path with `{1..60}` in it stands for sixty.
 */
const Difference = z.record(
  z.string(),
  z.union([z.string(), z.array(z.string()), z.record(z.string(), z.int()), z.null()]),
);

/** A tree with the differences in `file`. */
export function changedTree(tree: Tree, file: string): Tree {
  const difference = Difference.parse(JSON.parse(readFileSync(file, 'utf8')));
  const changed: Tree = { ...tree };
  for (const [pattern, value] of Object.entries(difference)) {
    for (const path of expanded(pattern)) {
      if (value === null) delete changed[path];
      else if (typeof value === 'string') changed[path] = value;
      else if (Array.isArray(value)) changed[path] = value.map((line) => `${line}\n`).join('');
      else changed[path] = withNumbers(changed[path], value, path);
    }
  }
  return Tree.parse(changed);
}

function expanded(pattern: string): string[] {
  const [range, from, to] = /\{(\d+)\.\.(\d+)\}/.exec(pattern) ?? [];
  if (range === undefined) return [pattern];
  const first = Number(from);
  return Array.from({ length: Number(to) - first + 1 }, (_, index) =>
    pattern.replace(range, String(first + index)),
  );
}

function withNumbers(text: string | undefined, numbers: Record<string, number>, path: string): string {
  return Object.entries(numbers).reduce((changed, [key, value]) => {
    const line = new RegExp(`^(${key}:?\\s+)\\d+`, 'm');
    if (!line.test(changed)) throw new Error(`no line of ${path} has a number for "${key}"`);
    return changed.replace(line, `$1${value}`);
  }, text ?? '');
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

/** As if nothing in the cgroup tree had been made only just now: a repair leaves alone what is young. */
export function makeOld(tree: Tree, root: string): void {
  const paths = Object.keys(tree).filter((path) => path.startsWith('sys/fs/cgroup/'));
  const made = Date.now() / 1000 - madeSecondsAgo;
  for (const folder of new Set(paths.map((path) => join(root, dirname(path)))))
    utimesSync(folder, made, made);
}

const madeSecondsAgo = 86_400;
