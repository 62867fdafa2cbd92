import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { expectToBeFinished, expectToBeUndone } from './killed-pair.ts';
import { json } from './node-folder.ts';
import { copyOfSystemdNode, type SystemdNode, sessionsTree, systemdNode } from './systemd-node.ts';

const nodes: SystemdNode[] = [];
afterAll(() => {
  for (const node of nodes.splice(0)) node.close();
});

const folder = 'var/lib/systemd/linger';

function open(lingering: string[] = []): SystemdNode {
  const node = systemdNode(sessionsTree);
  nodes.push(node);
  mkdirSync(join(node.root, lingering.length > 0 ? folder : 'var/lib/systemd'), { recursive: true });
  for (const name of lingering) node.write(`${folder}/${name}`, '');
  return node;
}
const lingering = (node: SystemdNode) =>
  existsSync(join(node.root, folder)) ? readdirSync(join(node.root, folder)).sort() : undefined;
const enable = (node: SystemdNode, parameters = {}, env = {}) =>
  node.run(
    'enable-linger',
    { users: 'alice bob', incident: 'i-1', fencing: '1', dryRun: 'false', ...parameters },
    env,
  );
const disable = (node: SystemdNode, parameters = {}, env = {}) =>
  node.run('disable-linger', { incident: 'i-1', dryRun: 'false', ...parameters }, env);

describe.concurrent('enable-linger', () => {
  it('predicts in a dry run what it then does, and is taken back exactly', async () => {
    const node = open();
    const before = node.files();
    const dry = json(await enable(node, { users: 'alice nobody-here bob alice', dryRun: 'true' }));
    expect(node.files()).toEqual(before);
    const result = json(await enable(node, { users: 'alice nobody-here bob alice' }));

    expect(dry).toMatchObject({ changed: false, undo: null });
    expect(result).toMatchObject({
      changed: true,
      before: { lingering: 0 },
      after: { lingering: 2 },
      changes: [
        { kind: 'directory', subject: `/${folder}`, from: 'absent', to: 'directory' },
        { kind: 'linger', subject: 'alice', from: 'off', to: 'on' },
        { kind: 'linger', subject: 'bob', from: 'off', to: 'on' },
      ],
      refusals: [{ subject: 'nobody-here', reason: 'there is no such user on this node' }],
      undo: { document: 'disable-linger', parameters: { incident: 'i-1', dryRun: 'false' } },
    });
    expect([dry.changes, dry.refusals]).toEqual([result.changes, result.refusals]);
    expect(node.systemd.changes()).toEqual([
      'loginctl enable-linger -- alice',
      'loginctl enable-linger -- bob',
    ]);
    expect(json(await enable(node))).toMatchObject({ changed: false, changes: [] });

    expect(json(await disable(node, { dryRun: 'true' }))).toMatchObject({ changed: false, restored: 3 });
    expect(lingering(node)).toEqual(['alice', 'bob']);
    expect(json(await disable(node))).toMatchObject({
      changed: true,
      restored: 3,
      remaining: 0,
      skipped: [],
    });
    expect(node.files()).toEqual(before);
    expect(json(await disable(node))).toMatchObject({ changed: false, restored: 0 });
  });

  it('forgets old incidents, but none that has something left to take back', async () => {
    const node = open();
    const state = join(node.root, 'var/lib/cgroup-medic/enable-linger');
    for (const [incident, file, days] of [
      ['old', 'undone', 9],
      ['kept', 'saved', 9],
      ['new', 'undone', 6],
    ] as const) {
      mkdirSync(join(state, incident), { recursive: true });
      node.write(`var/lib/cgroup-medic/enable-linger/${incident}/${file}`, '');
      const then = Date.now() / 1000 - days * 86_400;
      utimesSync(join(state, incident), then, then);
    }
    await enable(node);

    expect(readdirSync(state).sort()).toEqual(['i-1', 'kept', 'new']);
  });

  it('leaves a user’s own linger to the user', async () => {
    const node = open(['bob']);
    await enable(node);
    expect(lingering(node)).toEqual(['alice', 'bob']);
    expect(json(await disable(node))).toMatchObject({ restored: 1, skipped: [] });
    expect(lingering(node)).toEqual(['bob']);
  });

  it('does not enable again what somebody has disabled since', async () => {
    const node = open(['root']);
    await enable(node);
    rmSync(join(node.root, folder, 'alice'));

    expect(json(await disable(node))).toMatchObject({ restored: 1, remaining: 0 });
    expect(lingering(node)).toEqual(['root']);
  });

  it('ends the linger of a user who has been deleted since', async () => {
    const node = open(['root']);
    await enable(node);
    node.write('etc/passwd', 'root:x:0:0::/root:/bin/bash\n');
    node.systemd.fail('disable-linger');

    expect(json(await disable(node))).toMatchObject({ restored: 2, remaining: 0 });
    expect(lingering(node)).toEqual(['root']);
  });

  it('says for whom it did not work, and takes back the rest; for none is an error', async () => {
    const node = open();
    node.systemd.fail('bob');
    const some = json(await enable(node));
    expect(some).toMatchObject({
      changed: true,
      after: { lingering: 1 },
      changes: [{ kind: 'directory' }, { kind: 'linger', subject: 'alice' }],
      refusals: [
        { subject: 'bob', reason: "loginctl enable-linger failed with 1, the user's linger is off" },
      ],
    });
    node.systemd.fail('disable-linger');
    const stuck = await disable(node);
    expect(stuck.status).toBe('Failed');
    expect(json(stuck)).toMatchObject({ remaining: 2 });
    node.systemd.fail();
    expect(json(await disable(node))).toMatchObject({ remaining: 0 });
    expect(lingering(node)).toBeUndefined();

    const none = open();
    none.systemd.fail('enable-linger');
    expect(json(await enable(none)).error).toContain('no user lingers who did not before: bob: loginctl');
    expect(json(await enable(open(), { users: 'nobody-here' })).error).toContain('there is no such user');
  });
});

describe('killed between any two commands', { timeout: 300_000 }, () => {
  const pair = (already: string[]) => ({
    start: open(already),
    copy: copyOfSystemdNode,
    treat: enable,
    undo: disable,
    state: (node: SystemdNode) => node.files(),
    saved: 'var/lib/cgroup-medic/enable-linger/i-1/saved',
  });

  // With a user who lingered before, and where nobody did, and logind had no list.
  it.each([[['root']], [[]]])(
    'enable-linger leaves users as they were, or so that its inverse makes them so (%j before)',
    (already) => expectToBeUndone(pair(already), 2),
  );

  it('disable-linger is finished by the next one', () => expectToBeFinished(pair([]), 3));
});
