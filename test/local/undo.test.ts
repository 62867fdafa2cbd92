import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyTrail } from '../../lambdas/domain/audit/verify-trail.ts';
import type { LocalNode } from '../../local/local-node.ts';
import { protectionsOf } from './protections.ts';
import { clusters, startTestEngine, type TestEngine } from './test-engine.ts';

let test: TestEngine;
beforeAll(async () => {
  test = await startTestEngine();
});
afterAll(() => test?.close());

describe('a reclaim that dies half-way', () => {
  it('is undone by the state machine: every protection is what it was', async () => {
    let before: Record<string, string> = {};
    let raised: Record<string, string> = {};
    const change = (node: LocalNode): LocalNode => {
      const root = node.root ?? '';
      before = protectionsOf(root);
      return withReclaimKilled(node, async () => {
        await until(() => JSON.stringify(protectionsOf(root)) !== JSON.stringify(before));
        // The dead man's switch as well, as when the whole service is killed: the undo has to do it.
        killSwitches(root);
        raised = protectionsOf(root);
      });
    };

    await test.run({ node: 'v2-zombies', cluster: clusters.cautious, change }, async (incident) => {
      const trail = incident.auditLines.map((line) => JSON.parse(line));
      expect(raised).not.toEqual(before);
      expect(protectionsOf(incident.node.root ?? '')).toEqual(before);
      expect(incident.record.rungs[0]).toMatchObject({ status: 'failed', undo: { status: 'done' } });
      expect(incident.record.outcome).toBe('unresolved');
      expect(trail.map(({ step }) => step)).toEqual(
        expect.arrayContaining([
          'treatment.finished',
          'undo.intended',
          'undo.sent',
          'undo.finished',
          'notified',
        ]),
      );
      const undone = trail.find(({ step }) => step === 'undo.finished');
      expect(JSON.parse(undone.details.output)).toMatchObject({ changed: true, remaining: 0 });
      expect(verifyTrail(trail, incident.publicKey)).toMatchObject({ ok: true });
      expect(await incident.leaseHolder()).toBeUndefined();
    });
  });
});

/** A node on which `reclaim` gets SIGKILL once `moment` has come; the agent reports that as a time-out. */
function withReclaimKilled(node: LocalNode, moment: () => Promise<void>): LocalNode {
  const { managed } = node;
  return {
    ...node,
    managed: {
      ...managed,
      run: async (content, parameters, signal) => {
        if (!('slices' in parameters)) return managed.run(content, parameters, signal);
        const kill = new AbortController();
        const run = managed.run(content, parameters, AbortSignal.any([kill.signal, signal]));
        await Promise.race([moment(), run]);
        kill.abort();
        return { ...(await run), status: 'TimedOut', responseCode: 137 };
      },
    },
  };
}

/** Kills the watchers that would restore the protections of this node by themselves. */
function killSwitches(root: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const command = commandOf(pid);
    if (command.includes(root) && command.includes('switch.sh')) process.kill(Number(pid), 'SIGKILL');
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('it did not come to that within 20 s');
    await sleep(5);
  }
}
