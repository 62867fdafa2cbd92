import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { DocumentResult } from '../../local/node/ssm-agent.ts';
import { killEverywhere } from './killed-run.ts';
import { json } from './node-folder.ts';

type Run<Node> = (node: Node, parameters?: object, env?: Record<string, string>) => Promise<DocumentResult>;

/** A treatment that keeps its changes, and the inverse that takes them back. */
export type Pair<Node> = {
  start: Node;
  copy: (node: Node) => Node;
  treat: Run<Node>;
  undo: Run<Node>;
  /** What has to be as it was. */
  state: (node: Node) => unknown;
  /** Where the changes are kept. */
  saved: string;
};

type AnyNode = { root: string; close(): void };

/** Killed between any two commands, the treatment leaves the node as it was, or so that its inverse makes it so. */
export async function expectToBeUndone<Node extends AnyNode>(
  { start, copy, treat, undo, state, saved }: Pair<Node>,
  leastChanged: number,
): Promise<void> {
  const before = state(start);
  const { outcomes } = await killEverywhere({
    open: () => copy(start),
    run: (node, env) => treat(node, {}, env),
    look: async (node, { id, command }) => {
      const changed = JSON.stringify(state(node)) !== JSON.stringify(before);
      const recorded = existsSync(join(node.root, saved));
      const { remaining, skipped } = json(await undo(node));
      return { id, command, changed, recorded, remaining, skipped, state: state(node) };
    },
  });

  expect(outcomes.filter(({ changed }) => changed).length).toBeGreaterThanOrEqual(leastChanged);
  expect(outcomes.filter(({ changed, recorded }) => changed && !recorded)).toEqual([]);
  for (const outcome of outcomes) expect(outcome).toMatchObject({ remaining: 0, skipped: [], state: before });
}

/** Killed between any two commands, the inverse is finished by the next one. `all` is how many changes there are. */
export async function expectToBeFinished<Node extends AnyNode>(
  { start, copy, treat, undo, state, saved }: Pair<Node>,
  all: number,
): Promise<void> {
  const before = state(start);
  expect(json(await treat(start)).changed).toBe(true);
  const { outcomes } = await killEverywhere({
    open: () => copy(start),
    run: (node, env) => undo(node, {}, env),
    look: async (node, { id, command }) => {
      const { remaining, skipped, restored } = json(await undo(node));
      const left = existsSync(join(node.root, saved));
      return { id, command, remaining, skipped, restored, left, state: state(node) };
    },
  });

  // From all that was changed down to nothing.
  const restored = outcomes.map((outcome) => outcome.restored);
  expect([Math.max(...restored), Math.min(...restored)]).toEqual([all, 0]);
  for (const outcome of outcomes)
    expect(outcome).toMatchObject({ remaining: 0, skipped: [], left: false, state: before });
}
