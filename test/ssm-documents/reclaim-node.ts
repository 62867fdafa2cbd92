import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, vi } from 'vitest';
import type { Tree } from '../../local/node/recorded-tree.ts';
import { type NodeFolder, nodeFolder, smallTree } from './node-folder.ts';

/** Where documents keep what they know of incidents, and where reclaim does. */
export const medic = 'var/lib/cgroup-medic';
export const state = `${medic}/reclaim`;

// These tests spend their time waiting: a reclaim takes 18 s, and less than one of a CPU.
vi.setConfig({ maxConcurrency: 10 });

const nodes: NodeFolder[] = [];
const folder = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-reclaim-'));
// Not after each: others are at work then.
afterAll(() => {
  for (const node of nodes.splice(0)) node.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A node that is removed after the tests of the file. */
export function open(tree: Tree = smallTree, options: { kbEach?: number } = {}): NodeFolder {
  const node = nodeFolder(tree, options);
  nodes.push(node);
  return node;
}
/** Leaves a saved state, as a reclaim that was killed would. */
export function leave(node: NodeFolder, incident: string, saved: string) {
  mkdirSync(join(node.root, state, incident), { recursive: true });
  node.write(`${state}/${incident}/saved`, saved);
}
/** Begins the saved state of `smallTree`. */
export const boot = 'boot 00000000-0000-4000-8000-000000000001\nrun x\n';

/** The environment in which bash runs `action` just before the document's first command of this pattern. */
export function actBefore(command: string, action: string): Record<string, string> {
  const file = join(mkdtempSync(join(folder, 'hook-')), 'hook.sh');
  writeFileSync(
    file,
    `[[ "$0" == *_script_0.sh ]] || return 0
set -o functrace
hook() { ${action}; }
trap 'if [[ "$BASH_COMMAND" == ${command.replaceAll(' ', '\\ ')} ]]; then trap - DEBUG; hook; fi' DEBUG
`,
  );
  return { BASH_ENV: file };
}

/** The same at every command of this pattern. */
export function actAtEach(command: string, action: string): Record<string, string> {
  const { BASH_ENV } = actBefore(command, action);
  if (BASH_ENV === undefined) throw new Error('there is no hook');
  writeFileSync(BASH_ENV, readFileSync(BASH_ENV, 'utf8').replace('trap - DEBUG; ', ''));
  return { BASH_ENV };
}

/** `expect.poll` needs to know its test, and here several run at the same time. */
export function until(condition: () => boolean): Promise<unknown> {
  return vi.waitUntil(condition, { timeout: 10_000, interval: 20 });
}

/** Waits until the run has raised protections; with a low ceiling it then rests for seconds after its first write. */
export async function untilRaised(node: NodeFolder): Promise<void> {
  await until(() => node.lows()['a.slice/plain/memory.low'] !== '0');
}

export async function untilWritten(node: NodeFolder): Promise<void> {
  const stat = 'sys/fs/cgroup/a.slice/cgroup.stat';
  await until(() => node.read(stat).includes('nr_dying_descendants 45\n'));
}

/** A slice without dying cgroups: a run that is over at once. */
export const curedTree: Tree = {
  ...smallTree,
  'sys/fs/cgroup/a.slice/cgroup.stat': 'nr_descendants 4\nnr_dying_descendants 0\n',
};

/** Saved state over a memory.low that reads as raised and takes no write. */
export function leaveUnwritable(node: NodeFolder, incident: string) {
  const low = join(node.root, 'sys/fs/cgroup/b.slice/memory.low');
  rmSync(low);
  symlinkSync('/proc/sys/kernel/ostype', low);
  leave(node, incident, `${boot}low 0 Linux /b.slice\n`);
}
