import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTree, type Tree } from './recorded-tree.ts';

const folder = join(import.meta.dirname, 'stand-ins');
const commands = ['systemctl', 'loginctl', 'journalctl', 'crictl', 'kubelet', 'rmdir'];

/** Stand-ins for the services of a recorded node, and what they say where the node does not say otherwise: nothing is wrong. */
export function standInFiles(): Tree {
  const scripts = commands.map((name) => [
    `usr/bin/${name}`,
    readFileSync(join(folder, `${name}.sh`), 'utf8'),
  ]);
  return { ...readTree(join(folder, 'files.json')), ...Object.fromEntries(scripts) };
}
