import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { killEverywhere } from './killed-run.ts';
import { copyOf, json, type NodeFolder, nodeFolder, smallTree } from './node-folder.ts';

const state = 'var/lib/cgroup-medic/reclaim/test-1';
const raised = '1125899906842624';

const nodes: NodeFolder[] = [];
afterAll(() => {
  for (const node of nodes.splice(0)) node.close();
});

/** A node as a reclaim leaves it that was killed together with its switch, and the protections it had before. */
function killedNode(): { node: NodeFolder; before: Record<string, string> } {
  const node = nodeFolder(smallTree);
  nodes.push(node);
  const before = node.lows();
  const saved = [
    ['/b.slice', '0'],
    ['/a.slice/plain', '0'],
    ['/a.slice/pod/container', '65536'],
  ] as const;
  mkdirSync(join(node.root, state), { recursive: true });
  node.write(
    `${state}/saved`,
    `boot 00000000-0000-4000-8000-000000000001\nrun x\n${saved.map(([path, low]) => `low ${low} ${raised} ${path}\n`).join('')}`,
  );
  for (const [path] of saved) node.write(`sys/fs/cgroup${path}/memory.low`, `${raised}\n`);
  return { node, before };
}

describe('killed between any two commands', () => {
  it('reclaim-restore is finished by the next one, and keeps what it has not restored until then', {
    timeout: 400_000,
  }, async () => {
    const { node: start, before } = killedNode();
    const restore = (node: NodeFolder, env: Record<string, string> = {}) =>
      node.run('reclaim-restore', { incident: 'test-1', dryRun: 'false' }, env);
    const { outcomes } = await killEverywhere({
      open: () => copyOf(start),
      run: restore,
      look: async (node, { id, command }) => {
        const wrong = Object.entries(node.lows()).filter(([path, low]) => before[path] !== low).length;
        const recorded = existsSync(join(node.root, state, 'saved'));
        const { restored, remaining, skipped } = json(await restore(node));
        const left = existsSync(join(node.root, state, 'saved'));
        return { id, command, wrong, recorded, restored, remaining, skipped, left, lows: node.lows() };
      },
    });

    // From all that was raised down to nothing, one at a time.
    expect(new Set(outcomes.map(({ wrong }) => wrong))).toEqual(new Set([3, 2, 1, 0]));
    expect(outcomes.filter(({ wrong, recorded }) => wrong > 0 && !recorded)).toEqual([]);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ remaining: 0, skipped: [], left: false, lows: before });
  });
});
