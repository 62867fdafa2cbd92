import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { holdHost } from '../host-lock.ts';
import { killEverywhere } from './killed-run.ts';
import { isV1Host, json, v1Mount } from './node-folder.ts';
import { runParts } from './shell-parts.ts';
import { copyOfSystemdNode, type SystemdNode, systemdNode, v1Tree } from './systemd-node.ts';

const nodes: SystemdNode[] = [];
afterAll(() => {
  for (const node of nodes.splice(0)) node.close();
});

const memory = 'sys/fs/cgroup/memory';

type Scope = { sub?: string; age?: number; processes?: number; state?: string };

function open(scopes: Record<string, Scope> = {}, folders: Record<string, number> = {}): SystemdNode {
  const node = systemdNode(v1Tree);
  nodes.push(node);
  for (const [name, { sub = 'running', age = 7200, processes = 1, state = 'active' }] of Object.entries(
    scopes,
  )) {
    const group = `/user.slice/${name}`;
    node.systemd.unit(name, {
      ActiveState: state,
      SubState: sub,
      ControlGroup: group,
      ActiveEnterTimestampMonotonic: String((10_000 - age) * 1_000_000),
      StateChangeTimestampMonotonic: String((10_000 - age) * 1_000_000),
    });
    put(node, `sys/fs/cgroup/systemd${group}/cgroup.procs`, processes > 0 ? '4711\n' : '');
  }
  mkdirSync(join(node.root, 'sys/fs/cgroup/systemd'), { recursive: true });
  for (const [path, age] of Object.entries(folders)) {
    const folder = join(node.root, memory, path);
    mkdirSync(folder, { recursive: true });
    const made = Date.now() / 1000 - age;
    utimesSync(folder, made, made);
  }
  return node;
}
function put(node: SystemdNode, path: string, text: string) {
  mkdirSync(join(node.root, dirname(path)), { recursive: true });
  node.write(path, text);
}

const stop = (node: SystemdNode, parameters = {}, env = {}) =>
  node.run(
    'stop-scopes',
    {
      minAgeSeconds: '3600',
      maxCount: '100',
      endProcesses: 'false',
      incident: 'i-1',
      fencing: '1',
      dryRun: 'false',
      ...parameters,
    },
    env,
  );
const stops = (node: SystemdNode) =>
  node.systemd.changes().filter((call) => call.startsWith('systemctl stop'));
const is = (node: SystemdNode, path: string) => existsSync(join(node.root, memory, path));

describe.concurrent('stop-scopes', () => {
  const scopes = {
    'session-1.scope': { sub: 'abandoned' },
    'session-2.scope': { sub: 'abandoned', processes: 0 },
    'session-3.scope': {},
    'session-c4.scope': { sub: 'abandoned', age: 60 },
    'run-r0a.scope': { processes: 0 },
    'run-r0b.scope': {},
    'cri-containerd-ab.scope': { sub: 'abandoned', processes: 0 },
    'init.scope': { processes: 0 },
  };

  it('stops what is empty, as a dry run predicts, and leaves what is in use, young, or of containers', async () => {
    const node = open(scopes);
    const before = node.files();
    const dry = json(await stop(node, { dryRun: 'true' }));
    expect(node.files()).toEqual(before);
    const result = json(await stop(node));

    expect(dry).toMatchObject({ changed: false, stopped: 0, undo: null });
    expect(result).toMatchObject({
      changed: true,
      stopped: 2,
      removed: 0,
      left: 0,
      // session-c4.scope
      tooYoung: 1,
      ageUnknown: 0,
      before: { scopes: 3 },
      after: { scopes: 1 },
    });
    expect(result.changes).toEqual([
      { kind: 'scope', subject: 'run-r0a.scope', from: 'empty', to: 'stopped' },
      { kind: 'scope', subject: 'session-2.scope', from: 'empty', to: 'stopped' },
    ]);
    expect(result.refusals).toEqual([
      {
        subject: 'session-1.scope',
        reason: 'its login is over and has left 1 process: endProcesses=true ends them',
      },
    ]);
    expect([dry.changes, dry.refusals, dry.tooYoung]).toEqual([result.changes, result.refusals, 1]);
    expect(node.systemd.changes()).toEqual(['systemctl stop --no-block -- run-r0a.scope session-2.scope']);
    expect(json(await stop(node))).toMatchObject({ changed: false, changes: [], stopped: 0 });
  });

  describe('processes of an ended session', () => {
    const of = (node: SystemdNode, uid: string) => {
      const group = `/user.slice/user-${uid}.slice/session-1.scope`;
      node.systemd.unit('session-1.scope', {
        SubState: 'abandoned',
        ControlGroup: group,
        ActiveEnterTimestampMonotonic: '1',
        StateChangeTimestampMonotonic: '1',
      });
      put(node, `sys/fs/cgroup/systemd${group}/cgroup.procs`, '4711\n4712\n');
      put(node, 'etc/passwd', 'root:x:0:0::/:/bin/sh\nalice:x:1000:1000::/:/bin/sh\n');
      for (const pid of ['4711', '4712'])
        put(node, `proc/${pid}/status`, `Name:\tx\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\n`);
      return node;
    };
    const state = (node: SystemdNode) => node.systemd.property('session-1.scope', 'ActiveState');
    const may = { endProcesses: 'true', processesOf: 'alice 1001' };

    it.each(['1000', '1001'])('are ended where that is allowed for their user (%s)', async (uid) => {
      const node = of(open(scopes), uid);
      const dry = json(await stop(node, { ...may, dryRun: 'true' }));
      const result = json(await stop(node, may));

      expect(result).toMatchObject({ stopped: 3, refusals: [] });
      expect(result.changes).toContainEqual({
        kind: 'scope',
        subject: 'session-1.scope',
        from: `abandoned, with 2 processes (${uid === '1000' ? 'alice' : uid})`,
        to: 'stopped',
      });
      expect([dry.changes, dry.refusals]).toEqual([result.changes, result.refusals]);
      expect(state(node)).toBe('inactive');
      expect(node.systemd.property('session-3.scope', 'ActiveState')).toBe('active');
    });

    it.each<[string, (node: SystemdNode) => unknown, string]>([
      [
        'of a user who is not named',
        (node) => of(node, '1002'),
        'its login was that of 1002, who is not named',
      ],
      [
        'beside one that root has started there',
        (node) => put(node, 'proc/4712/status', 'Name:\tsudo\nUid:\t0\t0\t0\t0\n'),
        'process 4712 in it is of root, who is not named',
      ],
      [
        'beside one that runs with the rights of root',
        (node) => put(node, 'proc/4712/status', 'Name:\tsu\nUid:\t1000\t0\t0\t0\n'),
        'process 4712 in it is of root, who is not named',
      ],
      [
        'where it cannot be told whose one of them is',
        (node) => rmSync(join(node.root, 'proc/4712'), { recursive: true }),
        'whose process 4712 is cannot be told',
      ],
      [
        'of a login that is not over',
        (node) => put(node, 'run/systemd/sessions/1', 'UID=1000\nSTATE=active\n'),
        'logind says that its login is not over',
      ],
      [
        'of a scope that is not in the slice of a user',
        ({ systemd }) =>
          systemd.unit('session-1.scope', {
            SubState: 'abandoned',
            ControlGroup: '/user.slice/session-1.scope',
            ActiveEnterTimestampMonotonic: '1',
            StateChangeTimestampMonotonic: '1',
          }),
        'it cannot be told whose login it was',
      ],
    ])('are left where they are %s', async (_, change, reason) => {
      const node = of(open(scopes), '1000');
      put(node, 'sys/fs/cgroup/systemd/user.slice/session-1.scope/cgroup.procs', '4711\n');
      change(node);
      const dry = json(await stop(node, { ...may, dryRun: 'true' }));
      const result = json(await stop(node, may));

      expect(result.refusals).toEqual([
        { subject: 'session-1.scope', reason: expect.stringContaining(reason) },
      ]);
      expect(dry.refusals).toEqual(result.refusals);
      expect(state(node)).toBe('active');
    });

    it('are left in a scope that no login has made', async () => {
      const node = open({ 'run-r9.scope': { sub: 'abandoned' } });
      const result = json(await stop(node, may));

      expect(result.refusals).toEqual([
        { subject: 'run-r9.scope', reason: expect.stringContaining('it is not of a login') },
      ]);
    });

    it('are ended of nobody where nobody is named', async () => {
      const { error } = json(await stop(of(open(scopes), '1000'), { endProcesses: 'true' }));

      expect(error).toContain('only of those who are named in processesOf');
    });

    it('are left when somebody else has started one there right before', async () => {
      const node = of(open(scopes), '1000');
      const root = `printf 'Uid:\\t0\\t0\\t0\\t0\\n' >'${node.root}/proc/4712/status'`;
      const result = json(await stop(node, may, meddle(node, 'stop_stale', root)));

      expect(result.refusals).toEqual([
        { subject: 'session-1.scope', reason: expect.stringContaining('is of root, who is not named') },
      ]);
      expect(state(node)).toBe('active');
    });

    it.each([
      [
        'has been abandoned for a minute, however old its login',
        String((10_000 - 60) * 1_000_000),
        { tooYoung: 2, ageUnknown: 0 },
      ],
      ['was abandoned who knows when, as on an old systemd', '', { tooYoung: 1, ageUnknown: 1 }],
    ])('are left in a scope that %s', async (_, changed, spared) => {
      const node = of(open(scopes), '1000');
      node.systemd.unit('session-1.scope', {
        SubState: 'abandoned',
        ControlGroup: '/user.slice/user-1000.slice/session-1.scope',
        ActiveEnterTimestampMonotonic: '1',
        StateChangeTimestampMonotonic: changed,
      });
      const result = json(await stop(node, may));

      expect(result).toMatchObject(spared);
      expect(result.changes.map(({ subject }: { subject: string }) => subject)).not.toContain(
        'session-1.scope',
      );
      expect(state(node)).toBe('active');
    });

    it('are left when somebody has come back to the scope right before', async () => {
      const node = of(open(scopes), '1000');
      const back = `sed -i "s/^SubState=.*/SubState=running/" '${node.root}/units/session-1.scope'`;
      const result = json(await stop(node, may, meddle(node, 'stop_stale', back)));

      expect(result.refusals).toEqual([
        { subject: 'session-1.scope', reason: 'it is active (running) by now, not abandoned' },
      ]);
      expect(state(node)).toBe('active');
    });
  });

  it('does not count as stopped what systemd does not stop', async () => {
    const node = open({ 'session-2.scope': { processes: 0 } });
    node.systemd.fail('stop');
    // Waiting for it would take as long as systemd's own patience.
    const result = json(await stop(node, {}, { BASH_ENV: impatient(node) }));

    expect(result).toMatchObject({ changed: false, stopped: 0, changes: [] });
    expect(result.refusals).toEqual([
      { subject: 'session-2.scope', reason: 'systemd has been told to stop it and says: active' },
    ]);
  });

  it('removes directories of units that systemd does not know any more, and no others', async () => {
    const node = open(
      { 'run-known.scope': {} },
      {
        '/system.slice/run-gone.scope/inner/deeper': 7200,
        '/system.slice/run-gone.scope': 7200,
        '/system.slice/session-9.scope': 7200,
        '/system.slice/run-young.scope': 60,
        '/system.slice/run-known.scope': 7200,
        '/system.slice/busy.service/part': 7200,
        '/system.slice/busy.service': 7200,
        '/system.slice/idle.service': 7200,
        '/system.slice/run-gone.scope-not': 7200,
        '/plain/dir': 7200,
        '/machine.slice': 7200,
      },
    );
    node.systemd.unit('idle.service', { ActiveState: 'inactive' });
    node.write(`${memory}/system.slice/busy.service/part/cgroup.procs`, '1\n');
    const dry = json(await stop(node, { dryRun: 'true' }));
    const result = json(await stop(node));

    expect(result.changes).toEqual([
      { kind: 'cgroup', subject: '/system.slice/run-gone.scope', from: 'unpopulated', to: 'removed' },
      { kind: 'cgroup', subject: '/system.slice/session-9.scope', from: 'unpopulated', to: 'removed' },
    ]);
    expect([dry.changes, dry.refusals]).toEqual([result.changes, result.refusals]);
    expect(result).toMatchObject({
      changed: true,
      removed: 2,
      tooYoung: 1,
      ageUnknown: 0,
      before: { unpopulated: 5 },
      after: { unpopulated: 3 },
    });
    expect(is(node, 'system.slice/run-gone.scope')).toBe(false);
    for (const path of [
      'run-young.scope',
      'run-known.scope',
      'busy.service/part',
      'idle.service',
      'run-gone.scope-not',
    ]) {
      expect(is(node, `system.slice/${path}`)).toBe(true);
    }
    expect([is(node, 'plain/dir'), is(node, 'machine.slice')]).toEqual([true, true]);
  });

  const pods = {
    '/kubepods/burstable/pod11111111-2222-3333-4444-555555555555/ab': 7200,
    '/kubepods/burstable/pod11111111-2222-3333-4444-555555555555': 7200,
    '/kubepods/podaaaaaaaa-2222-3333-4444-555555555555': 7200,
    '/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podbbbbbbbb_2222_3333_4444_555555555555.slice': 7200,
    '/kubepods/podcccccccc-2222-3333-4444-555555555555': 7200,
    '/kubepods/pod0123456789abcdef0123456789abcdef': 7200,
  };
  const listing = (...uids: string[]) =>
    `[[ "$1 $2 $3" == 'pods -o json' ]] && printf '%s' '${JSON.stringify({ items: uids.map((uid) => ({ metadata: { uid, name: '";$(id)' } })) })}'\n`;

  it('removes those of pods that neither the runtime nor the kubelet knows', async () => {
    const node = open({}, pods);
    node.systemd.install(
      'crictl',
      listing('aaaaaaaa-2222-3333-4444-555555555555', '0123456789abcdef0123456789abcdef'),
    );
    mkdirSync(join(node.root, 'var/lib/kubelet/pods/cccccccc-2222-3333-4444-555555555555'), {
      recursive: true,
    });
    const slice = 'kubepods-besteffort-podbbbbbbbb_2222_3333_4444_555555555555.slice';
    node.systemd.unit(slice, {});
    const result = json(await stop(node));

    expect(result.changes.map(({ subject }: { subject: string }) => subject)).toEqual([
      `/kubepods.slice/kubepods-besteffort.slice/${slice}`,
      '/kubepods/burstable/pod11111111-2222-3333-4444-555555555555',
    ]);
    expect(result).toMatchObject({ removed: 2, refusals: [], after: { unpopulated: 3 } });
    expect(stops(node)).toEqual([`systemctl stop --job-mode=ignore-dependencies -- ${slice}`]);
    expect(is(node, 'kubepods/burstable')).toBe(true);
  });

  it.each([
    ['is missing', undefined, 'crictl is missing on this node'],
    ['fails', 'exit 1', 'crictl does not list the pods'],
    ['says nothing', 'true', 'crictl does not list the pods'],
    ['says something else', 'echo "{}"', 'crictl does not list the pods'],
  ])('removes none of a pod where crictl %s', async (_, script, reason) => {
    const node = open({}, { ...pods, '/run-gone.scope': 7200 });
    if (script !== undefined) node.systemd.install('crictl', script);
    const result = json(await stop(node));

    expect(result).toMatchObject({ removed: 1, after: { unpopulated: 5 } });
    expect(result.refusals).toEqual([
      {
        subject: '/kubepods',
        reason: `${reason}: 5 empty directories of pods are left, for it cannot be told whether their pods exist`,
      },
    ]);
  });

  it('counts a scope that is too young once, though its directory is as young', async () => {
    const node = open(
      { 'session-2.scope': { processes: 0, age: 60 } },
      { '/user.slice/session-2.scope': 60, '/user.slice/session-3.scope': 60 },
    );

    expect(json(await stop(node))).toMatchObject({ changed: false, tooYoung: 2, before: { unpopulated: 2 } });
  });

  it('does no more than maxCount, and says what is left', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 13 }, (_, index) => [`/run-r${index}x.scope`, 7200]),
    );
    const node = open({ 'session-2.scope': { processes: 0 } }, many);
    const result = json(await stop(node, { maxCount: '10' }));

    expect(result).toMatchObject({ stopped: 1, removed: 9, left: 4 });
  });

  it('looks again right before it removes', async () => {
    const node = open({}, { '/run-gone.scope': 7200, '/run-back.scope': 7200, '/run-full.scope': 7200 });
    const code = `printf 'Id=run-back.scope\\nLoadState=loaded\\nActiveState=active\\n' >'${node.root}/units/run-back.scope'
echo 1 >'${node.root}/${memory}/run-full.scope/cgroup.procs'`;
    const result = json(await stop(node, {}, meddle(node, 'remove_leftovers', code)));

    expect(result.changes).toMatchObject([{ subject: '/run-gone.scope' }]);
    expect(result.refusals).toEqual([
      { subject: '/run-back.scope', reason: 'it has an owner or a process again' },
      { subject: '/run-full.scope', reason: 'it has an owner or a process again' },
    ]);
  });

  it('does not stop the slice of a pod that has come back right before', async () => {
    const slice = 'kubepods-podbbbbbbbb_2222_3333_4444_555555555555.slice';
    const node = open({}, { [`/kubepods.slice/${slice}`]: 7200 });
    node.systemd.install('crictl', listing());
    node.systemd.unit(slice, {});
    // What the kernel does for a process, a file does for rmdir here.
    const back = `echo 1 >'${node.root}/${memory}/kubepods.slice/${slice}/back'`;
    const result = json(await stop(node, {}, meddle(node, 'remove_tree*', back)));

    expect(result).toMatchObject({
      removed: 0,
      refusals: [{ reason: 'the kernel keeps it: something has moved in' }],
    });
    expect(stops(node)).toEqual([]);
    expect(node.systemd.property(slice, 'ActiveState')).toBe('active');
  });

  it('never removes a file, whatever a directory holds', async () => {
    const node = open({}, { '/run-gone.scope/inner': 7200, '/run-gone.scope': 7200 });
    node.write(`${memory}/run-gone.scope/inner/file`, 'x');
    const result = json(await stop(node));

    expect(result).toMatchObject({
      changed: false,
      removed: 0,
      refusals: [{ reason: 'the kernel keeps it: something has moved in' }],
    });
    expect(is(node, 'run-gone.scope/inner/file')).toBe(true);
  });

  it('does nothing where systemd does not list its units', async () => {
    const node = open(scopes, { '/run-gone.scope': 7200 });
    node.systemd.fail('list-units');

    expect(json(await stop(node)).error).toBe('systemd does not list its scopes');
    expect(is(node, 'run-gone.scope')).toBe(true);
  });

  it('asks the runtime again right before it removes what was a pod', async () => {
    const uid = '11111111-2222-3333-4444-555555555555';
    const node = open({}, { [`/kubepods/pod${uid}`]: 7200 });
    node.systemd.install('crictl', listing());
    const back = `cat >'${node.root}/usr/bin/crictl' <<'EOF'\n#!/bin/bash\n${listing(uid)}EOF`;
    const result = json(await stop(node, {}, meddle(node, 'remove_leftovers', back)));

    expect(result).toMatchObject({
      removed: 0,
      refusals: [{ reason: 'it has an owner or a process again' }],
    });
    expect(is(node, `kubepods/pod${uid}`)).toBe(true);
  });

  it('asks about no more than it may remove', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`/run-r${index}x.scope`, 7200]),
    );
    const node = open({}, many);
    const result = json(await stop(node, { maxCount: '10', dryRun: 'true' }));
    const asked = node.read('calls').match(/ -- run-r\d+x\.scope$/gm) ?? [];

    expect(result).toMatchObject({ left: 30 });
    expect(asked).toHaveLength(10);
  });

  it('takes a directory that is older than the node for one of unknown age', async () => {
    const node = open({}, { '/run-gone.scope': 7200, '/run-odd.scope': 20_000 });
    const result = json(await stop(node));

    expect(result.changes).toMatchObject([{ subject: '/run-gone.scope' }]);
    expect(result).toMatchObject({ tooYoung: 0, ageUnknown: 1 });
    expect(is(node, 'run-odd.scope')).toBe(true);
  });

  /** The environment in which this happens right before the document's first such command. */
  function meddle(node: SystemdNode, command: string, code: string): Record<string, string> {
    const file = join(node.root, 'meddle.sh');
    writeFileSync(
      file,
      `[[ "$0" == *_script_0.sh ]] || return 0
set -o functrace
meddle() {
${code}
}
trap 'if [[ "$BASH_COMMAND" == ${command} ]]; then trap - DEBUG; meddle; fi' DEBUG
`,
    );
    return { BASH_ENV: file };
  }

  function impatient(node: SystemdNode): string {
    const file = join(node.root, 'impatient.sh');
    writeFileSync(file, '[[ "$0" == *_script_0.sh ]] || return 0\nsleep() { command sleep 0.01; }\n');
    return file;
  }
});

describe('killed between any two commands', () => {
  it('stop-scopes has stopped and removed nothing but what it may, and the next run finishes it', {
    timeout: 300_000,
  }, async () => {
    const start = open(
      { 'session-1.scope': { sub: 'abandoned' }, 'session-2.scope': { processes: 0 }, 'run-r0.scope': {} },
      { '/run-a.scope/inner': 7200, '/run-a.scope': 7200, '/run-b.scope': 7200, '/run-young.scope': 5 },
    );
    const { outcomes } = await killEverywhere({
      open: () => copyOfSystemdNode(start),
      run: (node, env) => stop(node, {}, env),
      look: async (node) => {
        const there = ['run-a.scope', 'run-b.scope'].filter((path) => is(node, path)).length;
        const stopped = node.systemd.property('session-2.scope', 'ActiveState') === 'inactive';
        const again = await stop(node);
        return {
          there,
          stopped,
          again: again.status,
          // What is left of a tree looks young again for a while.
          left: json(again).refusals.length,
          spared: ['session-1.scope', 'run-r0.scope'].map((unit) =>
            node.systemd.property(unit, 'ActiveState'),
          ),
          young: is(node, 'run-young.scope'),
          stoppedThen: node.systemd.property('session-2.scope', 'ActiveState'),
        };
      },
    });

    expect(new Set(outcomes.map(({ there }) => there))).toEqual(new Set([2, 1, 0]));
    expect(new Set(outcomes.map(({ stopped }) => stopped))).toEqual(new Set([false, true]));
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({
        again: 'Success',
        left: 1,
        spared: ['active', 'active'],
        young: true,
        stoppedThen: 'inactive',
      });
  });
});

describe.skipIf(!isV1Host)('on the memory hierarchy of this host (cgroup v1)', () => {
  const top = `cgroup-medic-test-${process.pid}.scope`;
  let release: () => Promise<void>;
  let folder: string;
  beforeEach(async () => {
    release = await holdHost();
    folder = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-scopes-'));
    mkdirSync(join(v1Mount, top, 'inner/deeper'), { recursive: true });
  });
  afterEach(async () => {
    for (const path of ['inner/deeper', 'inner', '']) {
      if (existsSync(join(v1Mount, top, path))) rmdirSync(join(v1Mount, top, path));
    }
    rmSync(folder, { recursive: true, force: true });
    await release();
  });
  const use = (code: string) =>
    runParts(['hierarchy', 'systemd', 'scopes', 'leftovers'], `find_hierarchy; ${code}`, { root: '' });

  it('finds a directory without a process, and removes it from the inside out', () => {
    expect(use('unpopulated').stdout.split('\n')).toContain(`unit\t/${top}\t${top}`);
    expect(use(`still_unpopulated /${top} && remove_tree /${top} && echo removed`).stdout).toBe('removed\n');
    expect(existsSync(join(v1Mount, top))).toBe(false);
  });

  it('leaves one with a process, however deep that is', () => {
    const code = `sleep 30 & pid=$!; echo $pid >'${v1Mount}/${top}/inner/deeper/cgroup.procs'
unpopulated; still_unpopulated /${top} || echo populated; remove_tree /${top} || echo "$REASON"
kill $pid; wait $pid || true`;
    const { stdout } = use(code);

    expect(stdout).not.toContain(top);
    expect(stdout).toContain('populated\nthe kernel keeps it: something has moved in\n');
    expect(existsSync(join(v1Mount, top, 'inner/deeper'))).toBe(true);
  });
});
