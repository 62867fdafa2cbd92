import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { expectToBeFinished, expectToBeUndone } from './killed-pair.ts';
import { json, smallTree } from './node-folder.ts';
import { copyOfSystemdNode, type SystemdNode, systemdNode } from './systemd-node.ts';

const agent = {
  SubState: 'running',
  Result: 'success',
  UnitFileState: 'enabled',
  NRestarts: '68680',
  MainPID: '900',
  MemoryCurrent: '52428800',
  Slice: 'system.slice',
  ControlGroup: '/system.slice/ecs.service',
  WantedBy: 'multi-user.target',
};
const parameters = { unit: 'ecs', stopSeconds: '15', incident: 'test-1', fencing: '1' };
const forbids = '/etc/cgroup-medic/disabled-ecs.service';
const dropIn = '/etc/systemd/system/ecs.service.d/50-cgroup-medic-disabled.conf';
const saved = 'var/lib/cgroup-medic/disable-agent/test-1/saved';

type TestNode = SystemdNode & {
  disable(changes?: Record<string, string>, env?: Record<string, string>): ReturnType<SystemdNode['run']>;
  enable(changes?: Record<string, string>, env?: Record<string, string>): ReturnType<SystemdNode['run']>;
  /** Without what a start changes of itself. */
  settled(): Record<string, string>;
};
const nodes: TestNode[] = [];
afterAll(() => {
  for (const node of nodes.splice(0)) node.close();
});

function open(properties: Record<string, string> = {}, unit = 'ecs.service'): TestNode {
  const node = systemdNode(smallTree);
  node.systemd.unit(unit, { ...agent, ...properties });
  const opened = testNode(node);
  nodes.push(opened);
  return opened;
}

function testNode(node: SystemdNode): TestNode {
  return {
    ...node,
    disable: (changes = {}, env = {}) => node.run('disable-agent', { ...parameters, ...changes }, env),
    enable: (changes = {}, env = {}) => node.run('enable-agent', { incident: 'test-1', ...changes }, env),
    settled: () =>
      Object.fromEntries(
        Object.entries(node.files()).map(([path, text]) => [
          path,
          text
            .replace(/\n(ExecMainStartTimestampMonotonic=\d+|MainPID=\d+)(?=\n|$)/g, '')
            .replace(/\nActiveState=activating\n/, '\nActiveState=active\n'),
        ]),
      ),
  };
}

describe.concurrent('disable-agent', () => {
  it('stops the agent, keeps it from starting, and is taken back exactly', async () => {
    const node = open();
    const start = node.settled();
    const dry = json(await node.disable({ dryRun: 'true' }));
    expect(node.settled()).toEqual(start);
    const real = await node.disable();
    const result = json(real);
    const disabled = node.systemd.property('ecs.service', 'ActiveState');
    const text = node.read(dropIn);
    const dryUndo = json(await node.enable({ dryRun: 'true' }));
    const undone = await node.enable();
    const again = json(await node.enable());

    expect(real.status).toBe('Success');
    expect(result).toEqual({
      version: 1,
      document: 'disable-agent',
      changed: true,
      dryRun: false,
      unit: 'ecs.service',
      before: {
        activeState: 'active',
        subState: 'running',
        unitFileState: 'enabled',
        result: 'success',
        nRestarts: 68680,
        memoryKb: 51200,
        containers: 0,
        triggers: 0,
        mayStart: true,
      },
      after: expect.objectContaining({ activeState: 'inactive', unitFileState: 'enabled', mayStart: false }),
      changes: [
        { kind: 'state', subject: 'ecs.service', from: 'started', to: 'stopped' },
        { kind: 'condition', subject: 'ecs.service', from: 'not', to: 'loaded' },
        { kind: 'directory', subject: '/etc/cgroup-medic', from: 'absent', to: 'directory' },
        { kind: 'file', subject: forbids, from: 'absent', to: expect.stringContaining('file ') },
        { kind: 'directory', subject: '/etc/systemd/system/ecs.service.d', from: 'absent', to: 'directory' },
        { kind: 'file', subject: dropIn, from: 'absent', to: expect.stringContaining('file ') },
      ],
      changesLeftOut: 0,
      refusals: [],
      refusalsLeftOut: 0,
      undo: { document: 'enable-agent', parameters: { incident: 'test-1', dryRun: 'false' } },
    });
    expect(dry).toMatchObject({ changed: false, dryRun: true, changes: result.changes, undo: null });
    expect(disabled).toBe('inactive');
    expect(text).toContain(`[Unit]\nConditionPathExists=!${forbids}\n`);
    expect(text).toContain('incident test-1');
    expect(undone.status).toBe('Success');
    expect(json(undone)).toEqual({
      version: 1,
      document: 'enable-agent',
      changed: true,
      dryRun: false,
      restored: 6,
      skipped: [],
      remaining: 0,
    });
    expect(dryUndo).toMatchObject({ changed: false, dryRun: true, restored: 6, remaining: 0 });
    expect(node.settled()).toEqual(start);
    expect(again).toMatchObject({ changed: false, restored: 0, remaining: 0 });
  });

  it('does nothing the second time, and what starts it all the same does not', async () => {
    const node = open();
    await node.disable();
    const calls = node.systemd.changes().length;
    const again = await node.disable();

    expect(again.status).toBe('Success');
    expect(json(again)).toMatchObject({ changed: false, changes: [], undo: { document: 'enable-agent' } });
    expect(node.systemd.changes()).toHaveLength(calls);
  });

  it.each<[string, Record<string, string>, number]>([
    ['stopped', { ActiveState: 'inactive', SubState: 'dead' }, 5],
    ['failed', { ActiveState: 'failed', SubState: 'failed', Result: 'exit-code' }, 5],
    ['crash-looping', { ActiveState: 'activating', SubState: 'auto-restart' }, 6],
  ])('leaves an agent that was %s as it was when it is taken back', async (_, properties, count) => {
    const node = open(properties);
    const before = properties.ActiveState === 'activating' ? 'active' : properties.ActiveState;
    const result = json(await node.disable());
    const undone = json(await node.enable());

    expect(result.changes).toHaveLength(count);
    expect(undone).toMatchObject({ restored: count, remaining: 0, skipped: [] });
    expect(node.systemd.property('ecs.service', 'ActiveState')).toBe(before);
    expect(existsSync(join(node.root, 'etc/cgroup-medic'))).toBe(false);
    expect(existsSync(join(node.root, 'etc/systemd/system/ecs.service.d'))).toBe(false);
  });

  it('stops a socket that would start it, and starts it again; leaves a timer to its condition', async () => {
    const node = open({ TriggeredBy: 'ecs.socket ecs.timer' });
    node.systemd.unit('ecs.socket', { SubState: 'listening' });
    node.systemd.unit('ecs.timer', { SubState: 'waiting' });
    const result = json(await node.disable());
    const [socket, timer] = ['ecs.socket', 'ecs.timer'].map((unit) =>
      node.systemd.property(unit, 'ActiveState'),
    );
    const undone = json(await node.enable());

    expect(result).toMatchObject({ changed: true, before: { triggers: 1 } });
    expect([socket, timer]).toEqual(['inactive', 'active']);
    expect(node.systemd.changes().find((line) => line.includes(' stop '))).toBe(
      'systemctl stop -- ecs.socket ecs.service',
    );
    expect(undone).toMatchObject({ remaining: 0, skipped: [] });
    expect(node.systemd.property('ecs.socket', 'ActiveState')).toBe('active');
    expect(existsSync(join(node.root, 'etc/systemd/system/ecs.socket.d'))).toBe(false);
  });

  it.each<[string, Record<string, string>, string]>([
    ['an active unit requires it', { RequiredBy: 'shop.service' }, 'shop.service needs ecs.service'],
    ['an active unit is bound to it', { BoundBy: 'a.service shop.service' }, 'shop.service needs'],
    ['an active unit is part of it', { ConsistsOf: 'shop.service' }, 'shop.service needs'],
    [
      'an active unit wants it',
      { WantedBy: 'multi-user.target a.service shop.service' },
      'shop.service wants ecs.service',
    ],
    ['an active unit keeps it up', { UpheldBy: 'shop.service' }, 'shop.service needs'],
    ['a target would stop with it', { RequiredBy: 'basic.target' }, 'basic.target needs'],
    ['systemd is at work on it', { Job: '12' }, 'at this moment (job 12)'],
    ['it has no unit file', { UnitFileState: 'transient' }, 'could not be started again'],
    ['it must not be stopped', { RefuseManualStop: 'yes' }, 'RefuseManualStop=yes'],
    ['it must not be started', { RefuseManualStart: 'yes' }, 'RefuseManualStart=yes'],
    ['its end ends the node', { SuccessAction: 'poweroff' }, 'SuccessAction=poweroff'],
    ['its failure restarts the node', { FailureAction: 'reboot' }, 'FailureAction=reboot'],
    ['it is the record of something done', { SubState: 'exited' }, 'does not run'],
    ['it runs among the pods', { ControlGroup: '/kubepods.slice/x' }, 'belongs to the kubelet'],
    ['it runs beside the kubelet', { Slice: 'runtime.slice' }, 'belongs to the kubelet'],
    ['a protected socket starts it', { TriggeredBy: 'dbus.socket' }, 'is started by dbus.socket'],
    ['it runs what is protected', { ExecStart: '{ path=/usr/bin/containerd ; argv[]=x ; }' }, 'containerd'],
    ['its other name is protected', { Names: 'ecs.service kubelet.service' }, 'kubelet.service'],
  ])('refuses when %s', async (_, properties, message) => {
    const node = open(properties);
    node.systemd.unit('shop.service', {});
    node.systemd.unit('a.service', { ActiveState: 'inactive' });
    node.systemd.unit('basic.target', {});
    const before = node.settled();
    const [dry, real] = [await node.disable({ dryRun: 'true' }), await node.disable()];

    expect(real.status).toBe('Failed');
    expect(json(real).error).toContain(message);
    expect(json(dry)).toEqual(json(real));
    expect(node.settled()).toEqual(before);
    expect(node.systemd.changes()).toEqual([]);
  });

  it('does not take what is stopped for something that needs it', async () => {
    const node = open({ RequiredBy: 'a.service b.service', WantedBy: 'multi-user.target a.service' });
    node.systemd.unit('a.service', { ActiveState: 'inactive' });
    node.systemd.unit('b.service', { ActiveState: 'failed' });

    expect(json(await node.disable({ dryRun: 'true' })).error).toBeUndefined();
  });

  it.each([
    'system.slice/ecs.service/task-1',
    'ecs/task-1',
    'ecstasks.slice/ecstasks-1.slice/docker-1.scope',
  ])('refuses while it runs a container in %s, and says how many it saw', async (group) => {
    const node = open();
    const cgroup = join(node.root, 'sys/fs/cgroup', group);
    mkdirSync(cgroup, { recursive: true });
    node.write(`sys/fs/cgroup/${group}/cgroup.procs`, '');
    const empty = json(await node.disable({ dryRun: 'true' }));
    node.write(`sys/fs/cgroup/${group}/cgroup.procs`, '4711\n');
    const busy = json(await node.disable());

    expect(empty.before.containers).toBe(0);
    expect(busy.error).toBe(
      'ecs.service runs 1 control groups with processes of their own (containers): move its work away first',
    );
  });

  it('says when the agent does not stop in time, and the undo starts it again', {
    timeout: 120_000,
  }, async () => {
    const node = open();
    node.systemd.on(
      'stop',
      `put ActiveState deactivating; put SubState stop-sigterm
export -f put end; export file root
setsid bash -c 'sleep 20; end' </dev/null >/dev/null 2>&1 9>&- &
sleep 300`,
    );
    const result = await node.disable();
    const undone = json(await node.enable());

    expect(result.status).toBe('Failed');
    expect(json(result)).toMatchObject({
      changed: true,
      error: expect.stringContaining('is told to stop and is deactivating after 15 s'),
      undo: { document: 'enable-agent' },
    });
    // Once it had stopped, and not while it was at it.
    expect(undone).toMatchObject({ remaining: 0, skipped: [] });
    expect(node.systemd.property('ecs.service', 'ActiveState')).toBe('active');
  });

  it('clears the failure that the stop was to the agent, and starts it again when undone', async () => {
    const node = open();
    node.systemd.on(
      'stop',
      'put ActiveState failed; put SubState failed; put Result exit-code; put MainPID 0',
    );
    const result = json(await node.disable());
    const undone = json(await node.enable());

    expect(result).toMatchObject({ changed: true, after: { activeState: 'inactive' } });
    expect(undone).toMatchObject({ remaining: 0, skipped: [] });
    expect(node.systemd.property('ecs.service', 'ActiveState')).toBe('active');
  });

  it('takes back what it had done when systemd does not reload, or a later drop-in undoes ours', async () => {
    const own = '/etc/systemd/system/ecs.service.d/90-own.conf';
    const [deaf, reset] = [open(), open({ DropInPaths: own })];
    const start = [deaf.settled(), {}];
    deaf.systemd.fail('daemon-reload');
    const failed = json(await deaf.disable());
    deaf.systemd.fail();
    mkdirSync(join(reset.root, 'etc/systemd/system/ecs.service.d'), { recursive: true });
    reset.write(own, '[Unit]\nConditionPathExists=\n');
    start[1] = reset.settled();
    const undone = json(await reset.disable());

    expect(failed.error).toContain('daemon-reload failed with 1');
    expect(undone.error).toContain('90-own.conf is read after our drop-in and takes its condition back');
    expect(reset.settled()).toEqual(start[1]);
    expect(deaf.systemd.property('ecs.service', 'ActiveState')).toBe('active');
    expect(json(await deaf.enable())).toMatchObject({ remaining: 0 });
    expect(deaf.settled()).toEqual(start[0]);
  });

  it('leaves what somebody else has changed since, and says so', async () => {
    const node = open();
    await node.disable();
    node.write(dropIn, '[Unit]\nDescription=mine now\n');
    const undone = json(await node.enable());

    expect(undone.skipped[0]).toMatchObject({
      subject: dropIn,
      reason: expect.stringContaining('changed by somebody else'),
    });
    expect(node.read(dropIn)).toContain('mine now');
    expect(existsSync(join(node.root, forbids))).toBe(false);
  });

  it('says when the agent does not come back', async () => {
    const node = open();
    await node.disable();
    node.systemd.on('start', 'put ActiveState failed; put SubState failed');
    const undone = json(await node.enable());

    expect(undone).toMatchObject({
      remaining: 0,
      skipped: [{ subject: 'ecs.service', reason: expect.stringContaining('started again, and has failed') }],
    });
  });

  it('lets a second incident find it disabled, and neither undo takes what is not its own', async () => {
    const node = open();
    await node.disable();
    const second = json(await node.disable({ incident: 'test-2', fencing: '2' }));
    const undone = json(await node.enable({ incident: 'test-2' }));

    expect(second).toMatchObject({ changed: false, changes: [], undo: null });
    expect(undone).toMatchObject({ changed: false, restored: 0, remaining: 0 });
    expect(existsSync(join(node.root, forbids))).toBe(true);
  });
});

describe('killed between any two commands', { timeout: 300_000 }, () => {
  const pair = () => ({
    start: open(),
    copy: (node: TestNode) => testNode(copyOfSystemdNode(node)),
    treat: (node: TestNode, changes = {}, env = {}) => node.disable(changes, env),
    undo: (node: TestNode, changes = {}, env = {}) => node.enable(changes, env),
    state: (node: TestNode) => node.settled(),
    saved,
  });

  it('disable-agent leaves the node as it was, or so that its inverse makes it so', () =>
    expectToBeUndone(pair(), 9));

  it('enable-agent is finished by the next one', () => expectToBeFinished(pair(), 6));
});
