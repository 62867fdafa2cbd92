import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { killEverywhere } from './killed-run.ts';
import { json, smallTree } from './node-folder.ts';
import { copyOfSystemdNode, type SystemdNode, systemdNode } from './systemd-node.ts';

const nodes: SystemdNode[] = [];
afterAll(() => {
  for (const node of nodes.splice(0)) node.close();
});

/** A node 1,000 s after its boot, whose logind has run for `age` seconds; `sessions` are the states of its sessions. */
function open(sessions: string[], { age = 990, state = 'active' } = {}): SystemdNode {
  const node = systemdNode({ ...smallTree, 'proc/uptime': '1000.00 1.00\n' });
  nodes.push(node);
  node.systemd.unit('systemd-logind.service', {
    ActiveState: state,
    ActiveEnterTimestampMonotonic: String((1000 - age) * 1_000_000),
  });
  mkdirSync(join(node.root, 'run/systemd/sessions'));
  for (const [index, text] of sessions.entries()) {
    node.write(`run/systemd/sessions/${index}`, `UID=1000\nSTATE=${text}\nTYPE=tty\n`);
    execFileSync('mkfifo', [join(node.root, `run/systemd/sessions/${index}.ref`)]);
  }
  return node;
}
const restart = (node: SystemdNode, parameters = {}, env = {}) =>
  node.run(
    'restart-logind',
    { minUptimeSeconds: '900', incident: 'i-1', fencing: '1', dryRun: 'false', ...parameters },
    env,
  );
const restarted = ['systemctl restart systemd-logind.service'];

describe.concurrent('restart-logind', () => {
  it('restarts it once when sessions are stuck, as a dry run predicts', async () => {
    const node = open(['active', 'closing', 'online', 'closing']);
    const dry = json(await restart(node, { dryRun: 'true' }));
    expect(node.systemd.changes()).toEqual([]);
    const result = json(await restart(node));

    expect(dry).toMatchObject({ changed: false, dryRun: true });
    expect(result).toMatchObject({
      changed: true,
      before: { sessions: 4, closing: 2 },
      after: { sessions: 4, closing: 2 },
      gone: 0,
      changes: [{ kind: 'restart', subject: 'systemd-logind.service', from: 'running', to: 'restarted' }],
      refusals: [],
      undo: null,
    });
    expect([dry.changes, dry.refusals]).toEqual([result.changes, result.refusals]);
    expect(node.systemd.changes()).toEqual(restarted);
  });

  it('has nothing to do when none is closing', async () => {
    const node = open(['active', 'closing-soon']);
    const result = await restart(node);

    expect(result.status).toBe('Success');
    expect(json(result)).toMatchObject({
      changed: false,
      changes: [],
      refusals: [{ reason: 'no session is closing: nothing to clear' }],
    });
    expect(node.systemd.changes()).toEqual([]);
  });

  it('does not restart again what has not helped', async () => {
    const node = open(['closing'], { age: 800 });

    expect(json(await restart(node)).error).toMatch(
      /was started 8\d\d s ago, less than minUptimeSeconds \(900\)/,
    );
    expect(node.systemd.changes()).toEqual([]);
    expect(json(await restart(node, { minUptimeSeconds: '300' }))).toMatchObject({ changed: true });
  });

  it('starts one that has failed, whatever its age', async () => {
    expect(json(await restart(open([], { age: 1, state: 'failed' })))).toMatchObject({ changed: true });
  });

  it('counts the sessions that are gone afterwards', async () => {
    const node = open(['active', 'closing', 'active']);
    node.systemd.install(
      'systemctl',
      `case "$1" in
  show) if [[ "$*" == *Version* ]]; then cat "$root/units/manager"; else cat "$root/units/systemd-logind.service"; fi ;;
  restart) rm "$root"/run/systemd/sessions/[12]* ;;
esac
`,
    );

    expect(json(await restart(node))).toMatchObject({
      before: { sessions: 3, closing: 1 },
      after: { sessions: 1, closing: 0 },
      gone: 1,
    });
  });

  it('says so when it does not come back', { timeout: 90_000 }, async () => {
    const node = open(['closing']);
    node.systemd.fail('list-sessions', 'restart');
    const result = await restart(node);

    expect(result.status).toBe('Failed');
    expect(json(result).error).toContain('ended with 1, and logind did not answer within 30 s');
  });
});

describe('killed between any two commands', () => {
  it('restart-logind has restarted it at most once, however often it is delivered', {
    timeout: 300_000,
  }, async () => {
    const start = open(['active', 'closing']);
    const { outcomes } = await killEverywhere({
      open: () => copyOfSystemdNode(start),
      run: (node, env) => restart(node, {}, env),
      look: async (node) => {
        const first = node.systemd.changes().length;
        const again = await restart(node);
        return { first, status: again.status, changes: node.systemd.changes() };
      },
    });

    expect(new Set(outcomes.map(({ first }) => first))).toEqual(new Set([0, 1]));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'Success', changes: restarted });
  });
});
