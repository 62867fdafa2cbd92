import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Tree } from '../../local/node/recorded-tree.ts';
import { expectToBeFinished, expectToBeUndone } from './killed-pair.ts';
import { json } from './node-folder.ts';
import { copyOfSystemdNode, type SystemdNode, sessionsTree, systemdNode } from './systemd-node.ts';

const nodes: SystemdNode[] = [];
afterAll(() => {
  for (const node of nodes.splice(0)) node.close();
});

function open(tree: Tree = sessionsTree): SystemdNode {
  const node = systemdNode(tree);
  nodes.push(node);
  return node;
}

const folder = 'etc/systemd/system/user.slice.d';
const dropIn = `${folder}/50-cgroup-medic-no-memory.conf`;
const saved = 'var/lib/cgroup-medic/contain-sessions/i-1/saved';
const forward = { allowLimitLoss: 'false', incident: 'i-1', fencing: '1', dryRun: 'false' };
const contain = (node: SystemdNode, parameters = {}, env = {}) =>
  node.run('contain-sessions', { ...forward, ...parameters }, env);
const release = (node: SystemdNode, parameters = {}, env = {}) =>
  node.run('release-sessions', { incident: 'i-1', dryRun: 'false', ...parameters }, env);

/** A plain file keeps the last text written to it; the kernel's would list the controllers again. */
function passesOn(files: Record<string, string>): Record<string, boolean> {
  return Object.fromEntries(
    Object.entries(files)
      .filter(([path]) => path.endsWith('/cgroup.subtree_control'))
      .map(([path, text]) => [path, /[ +]memory/.test(text)]),
  );
}
const others = (files: Record<string, string>) =>
  Object.fromEntries(Object.entries(files).filter(([path]) => !path.endsWith('/cgroup.subtree_control')));

describe.concurrent('contain-sessions', () => {
  it('predicts in a dry run what it then does, and is taken back exactly', async () => {
    const node = open();
    const before = node.files();
    const dry = json(await contain(node, { dryRun: 'true' }));
    const afterDry = node.files();
    const result = json(await contain(node));
    const contained = node.files();

    expect(afterDry).toEqual(before);
    expect(dry).toMatchObject({ changed: false, dryRun: true, undo: null });
    expect(result).toMatchObject({
      changed: true,
      before: { memoryPerSession: true, memoryCgroups: 3, dying: 3 },
      after: { memoryPerSession: false },
      refusals: [],
      undo: { document: 'release-sessions', parameters: { incident: 'i-1', dryRun: 'false' } },
    });
    expect(result.changes).toEqual(dry.changes);
    expect(result.refusals).toEqual(dry.refusals);
    // The deepest first, and user.slice itself last; then what systemd has loaded, and the files.
    expect(
      result.changes.map(({ kind, subject }: { kind: string; subject: string }) => [kind, subject]),
    ).toEqual([
      ['controllers', '/user.slice/user-1000.slice/user@1000.service'],
      ['controllers', '/user.slice/user-1000.slice'],
      ['controllers', '/user.slice'],
      ['setting', 'user.slice'],
      ['directory', `/${folder}`],
      ['file', `/${dropIn}`],
    ]);
    expect(contained[dropIn]).toBe(
      '644 # Written by cgroup-medic for incident i-1. Its undo removes it; so may you, then: systemctl daemon-reload\n[Slice]\nDisableControllers=memory\n',
    );
    expect(contained[folder]).toBe('755 ');
    expect(Object.values(passesOn(contained))).not.toContain(true);
    expect(node.systemd.property('user.slice', 'DisableControllers')).toBe('memory');

    const again = json(await contain(node));
    expect(again).toMatchObject({ changed: false, changes: [], undo: { document: 'release-sessions' } });
    expect(node.files()).toEqual(contained);

    const dryUndo = json(await release(node, { dryRun: 'true' }));
    expect(dryUndo).toEqual(
      expect.objectContaining({ changed: false, restored: 6, skipped: [], remaining: 0 }),
    );
    expect(node.files()).toEqual(contained);

    expect(json(await release(node))).toEqual({
      version: 1,
      document: 'release-sessions',
      changed: true,
      dryRun: false,
      restored: 6,
      skipped: [],
      remaining: 0,
    });
    expect(others(node.files())).toEqual(others(before));
    expect(passesOn(node.files())).toEqual(passesOn(before));
    expect(existsSync(join(node.root, saved))).toBe(false);
    expect(json(await release(node))).toMatchObject({ changed: false, restored: 0, remaining: 0 });
    expect(json(await contain(node)).error).toContain('was undone on this node');
  });

  it('leaves everything else of the hierarchy alone', async () => {
    const node = open({
      ...sessionsTree,
      'sys/fs/cgroup/system.slice/cgroup.subtree_control': 'cpu memory pids\n',
      'sys/fs/cgroup/cgroup.subtree_control': 'cpu memory pids\n',
      'sys/fs/cgroup/user.slice-not/cgroup.subtree_control': 'memory\n',
    });
    await contain(node);

    for (const path of ['', 'system.slice/', 'user.slice-not/']) {
      expect(node.read(`sys/fs/cgroup/${path}cgroup.subtree_control`)).toMatch(/(^| )memory/);
    }
  });

  it.each([
    ['sys/fs/cgroup/user.slice/user-1000.slice/memory.max', '1073741824\n', 'has memory.max = 1073741824'],
    ['sys/fs/cgroup/user.slice/user-1000.slice/session-1.scope/memory.high', '5\n', 'has memory.high = 5'],
    ['sys/fs/cgroup/user.slice/user-1000.slice/memory.low', '4096\n', 'has memory.low = 4096'],
    ['sys/fs/cgroup/user.slice/memory.max', '4096\n', 'has memory.max = 4096'],
    ['etc/systemd/system/user-.slice.d/10-max.conf', '[Slice]\nMemoryMax = 1G\n', 'says MemoryMax=1G'],
    [
      'etc/systemd/system.control/user-1000.slice.d/50-MemoryHigh.conf',
      'MemoryHigh=10%\n',
      'says MemoryHigh=10%',
    ],
    ['usr/lib/systemd/system/user@.service', '[Service]\nMemoryMin=1M\n', 'says MemoryMin=1M'],
    ['run/systemd/system/user.slice.d/x.conf', '[Slice]\nMemoryLimit=1M\n', 'says MemoryLimit=1M'],
    ['run/systemd/system/user.slice.d/x.conf', '[Slice]\nMemorySwapMax=0\n', 'says MemorySwapMax=0'],
  ])('refuses where a limit would be lost (%s), unless that is allowed', async (path, text, reason) => {
    const node = open({ ...sessionsTree, [path]: text });
    const before = node.files();
    const refused = await contain(node);

    expect(refused.status).toBe('Failed');
    expect(json(refused).error).toContain(reason);
    expect(json(refused).error).toContain('allowLimitLoss=true');
    expect(json(await contain(node, { dryRun: 'true' })).error).toBe(json(refused).error);
    expect(node.files()).toEqual(before);
    expect(json(await contain(node, { allowLimitLoss: 'true' }))).toMatchObject({ changed: true });
  });

  it.each(['infinity', '', '0'])('takes MemoryMax=%s for no limit', async (value) => {
    const node = open({
      ...sessionsTree,
      'etc/systemd/system/user-.slice.d/10-max.conf': `[Slice]\nMemoryMax=${value}\n`,
    });

    expect(json(await contain(node))).toMatchObject({ changed: true });
  });

  it('changes nothing where somebody else has done it already, and takes nothing back', async () => {
    const node = open({
      ...sessionsTree,
      [`${folder}/10-theirs.conf`]: '[Slice]\nDisableControllers=memory\n',
    });
    node.systemd.unit('user.slice', { DisableControllers: 'memory' });
    for (const path of Object.keys(sessionsTree).filter((name) => name.endsWith('subtree_control'))) {
      node.write(path, 'cpu pids\n');
    }

    expect(json(await contain(node))).toMatchObject({ changed: false, changes: [], undo: null });
    expect(json(await release(node))).toMatchObject({ changed: false, restored: 0 });
    expect(node.read(`${folder}/10-theirs.conf`)).toContain('memory');
  });

  it('does not overwrite a file of its name that is not its own', async () => {
    const node = open({ ...sessionsTree, [dropIn]: '[Slice]\n# mine\n' });
    const result = await contain(node);

    expect(json(result).error).toContain('exists already with another content');
    expect(node.read(dropIn)).toBe('[Slice]\n# mine\n');
  });

  it('leaves nothing half done when systemd does not reload', async () => {
    const node = open();
    const before = node.files();
    node.systemd.fail('daemon-reload');
    const result = await contain(node);

    expect(result.status).toBe('Failed');
    expect(json(result).error).toMatch(/daemon-reload failed with 1; what had been changed was taken back$/);
    expect(node.files()).toEqual(before);
    expect(existsSync(join(node.root, saved))).toBe(false);
  });

  it('is taken back later when systemd does not reload then', async () => {
    const node = open();
    await contain(node);
    node.systemd.fail('daemon-reload');
    const failed = await release(node);

    expect(failed.status).toBe('Failed');
    expect(json(failed)).toMatchObject({ remaining: 1 });
    expect(existsSync(join(node.root, saved))).toBe(true);

    node.systemd.fail();
    expect(json(await release(node))).toMatchObject({ remaining: 0, restored: 1 });
    expect(node.systemd.property('user.slice', 'DisableControllers')).toBe(undefined);
  });

  it('leaves alone what somebody else has changed since', async () => {
    const node = open();
    await contain(node);
    writeFileSync(join(node.root, dropIn), '[Slice]\nDisableControllers=memory io\n');
    const result = json(await release(node));

    expect(result.skipped.map(({ subject }: { subject: string }) => subject)).toEqual([
      `/${dropIn}`,
      `/${folder}`,
      'user.slice',
      '/user.slice',
      '/user.slice/user-1000.slice',
      '/user.slice/user-1000.slice/user@1000.service',
    ]);
    expect(result.skipped[0].reason).toContain('changed by somebody else');
    expect(node.read(dropIn)).toContain('memory io');
  });

  it('does not mind sessions that have ended since', async () => {
    const node = open();
    await contain(node);
    rmSync(join(node.root, 'sys/fs/cgroup/user.slice/user-1000.slice'), { recursive: true });

    expect(json(await release(node))).toMatchObject({ remaining: 0, skipped: [] });
  });

  it.each([
    ['Version=219\n', 'systemd 219 does not know DisableControllers'],
    ['nonsense\n', 'systemd does not tell its version'],
  ])('refuses a systemd that says %j', async (version, reason) => {
    const node = open();
    node.write('units/manager', version);

    expect(json(await contain(node)).error).toContain(reason);
  });

  it('refuses a node without systemd', async () => {
    const node = open();
    rmSync(join(node.root, 'run/systemd'), { recursive: true });

    expect(json(await contain(node)).error).toContain('systemd does not run this node');
    mkdirSync(join(node.root, 'run/systemd/system'), { recursive: true });
    rmSync(join(node.root, 'usr/bin/systemctl'));
    expect(json(await contain(node)).error).toContain('systemctl is missing');
  });
});

describe('killed between any two commands', { timeout: 300_000 }, () => {
  const pair = () => ({
    start: open(),
    copy: copyOfSystemdNode,
    treat: contain,
    undo: release,
    state: (node: SystemdNode) => ({ ...others(node.files()), ...passesOn(node.files()) }),
    saved,
  });

  it('contain-sessions leaves the node as it was, or so that its inverse makes it so', () =>
    expectToBeUndone(pair(), 7));

  it('release-sessions is finished by the next one', () => expectToBeFinished(pair(), 6));
});
