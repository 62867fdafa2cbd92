import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inParallel, killer, type Step } from './killed-run.ts';
import { json, nodeFolder, reclaimParameters, smallTree } from './node-folder.ts';

const state = 'var/lib/cgroup-medic/reclaim/test-1';
/** A run that is listed or killed takes far longer than it would by itself: it has to end before the hook does. */
const parameters = { ...reclaimParameters, maxSeconds: '30' };
/** Killed runs at the same time: they mostly wait. */
const atOnce = 6;
/** The watcher looks once a second. */
const watcherSeconds = 8;

const kill = killer();
afterAll(() => kill.close());

let steps: Step[] = [];
let arming = 0;
let firstWrite = 0;
let restoring = 0;

beforeAll(async () => {
  const node = nodeFolder(smallTree);
  const list = kill.list();
  try {
    const result = await node.run('reclaim', parameters, list.env);
    expect(json(result)).toMatchObject({ protection: { raised: 4, restored: 4 } });
  } finally {
    node.close();
  }
  steps = list.steps();
  const indexOf = (text: string) => steps.findIndex(({ command }) => command.includes(text));
  arming = indexOf('save_state');
  firstWrite = indexOf('timed_write');
  restoring = indexOf('unshield');
});

/** The outcome of a run that is killed at a step. */
async function killedAt(step: Step, mend: 'restore' | 'switch') {
  const node = nodeFolder(smallTree);
  try {
    const before = node.lows();
    const result = await node.run('reclaim', parameters, kill.killAt(step));
    const killed = result.status === 'TimedOut';
    const raised = Object.entries(node.lows()).filter(([path, low]) => before[path] !== low).length;
    if (mend === 'restore') {
      const restored = await node.run('reclaim-restore', { incident: 'test-1' });
      expect(json(restored).remaining).toBe(0);
      // The watcher may be writing the same values. On a plain file, unlike a cgroup's, a write empties it first.
      await expect
        .poll(() => JSON.stringify(node.lows()), { timeout: 1000, interval: 20 })
        .toBe(JSON.stringify(before));
    } else {
      await expect
        .poll(() => JSON.stringify(node.lows()), { timeout: watcherSeconds * 1000, interval: 100 })
        .toBe(JSON.stringify(before));
      await expect
        .poll(() => raised > 0 && existsSync(join(node.root, state, 'saved')), { timeout: 5000 })
        .toBe(false);
    }
    return { step, killed, raised, same: JSON.stringify(node.lows()) === JSON.stringify(before) };
  } finally {
    node.close();
  }
}

function killedAtEach(chosen: readonly Step[]) {
  const mends = ['restore', 'switch'] as const;
  const runs = chosen.map((step, index) => ({ step, mend: mends[index % 2] ?? 'restore' }));
  return inParallel(runs, atOnce, ({ step, mend }) => killedAt(step, mend));
}

describe('a reclaim that is killed', () => {
  it('is listed command by command, in the order that makes it safe', () => {
    expect(arming).toBeGreaterThan(100);
    const order = ['save_state', 'arm_switch', 'raise_protection', 'timed_write', 'restore_saved false'];
    const at = order.map((name) => steps.findIndex(({ command }) => command.startsWith(name)));

    expect(at).not.toContain(-1);
    expect(at).toEqual(at.toSorted((a, b) => a - b));
  });

  it('anywhere between saving and the first write leaves protections that come back', {
    timeout: 400_000,
  }, async () => {
    const outcomes = await killedAtEach(steps.slice(arming, firstWrite));

    // The wait for the watcher goes round as often as the machine is slow: a run may end it sooner than the list did.
    const lines = ({ id }: Step) => id.replace(/#\d+$/, '');
    const killed = outcomes.filter((outcome) => outcome.killed).map(({ step }) => step);
    const reached = new Set(killed.map(lines));
    expect(outcomes.map(({ step }) => step).filter((step) => !reached.has(lines(step)))).toEqual([]);
    expect(killed.length).toBeGreaterThan((firstWrite - arming) * 0.9);
    expect(outcomes.filter(({ raised }) => raised > 0).length).toBeGreaterThan(5);
    expect(outcomes.filter(({ same }) => !same)).toEqual([]);
  });

  it('before, during the writes, while it restores and after leaves protections that come back', {
    timeout: 400_000,
  }, async () => {
    const chosen = [
      ...Array.from({ length: 6 }, (_, n) => Math.floor((arming * (n + 1)) / 7)),
      ...Array.from({ length: 6 }, (_, n) => firstWrite + Math.floor(((restoring - firstWrite) * n) / 6)),
      ...Array.from({ length: 64 }, (_, n) => restoring + n),
    ].flatMap((index) => steps[index] ?? []);
    const outcomes = await killedAtEach(chosen);

    expect(outcomes.filter(({ killed }) => killed).length).toBeGreaterThan(chosen.length / 2);
    expect(outcomes.filter(({ same }) => !same)).toEqual([]);
  });
});
