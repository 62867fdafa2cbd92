import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { expectToBeFinished, expectToBeUndone } from './killed-pair.ts';
import { json, smallTree } from './node-folder.ts';
import { copyOfSystemdNode, type SystemdNode, systemdNode } from './systemd-node.ts';

const nodes: SystemdNode[] = [];
afterAll(() => {
  for (const node of nodes.splice(0)) node.close();
});

const looping = {
  Slice: 'system.slice',
  ActiveState: 'activating',
  NRestarts: '17',
  Delegate: 'no',
  MemoryMax: 'infinity',
};

function open(properties: Record<string, string> = {}, unit = 'my-agent.service'): SystemdNode {
  const node = systemdNode(smallTree);
  nodes.push(node);
  node.systemd.unit(unit, { ...looping, ...properties });
  node.systemd.unit('system.slice', {});
  return node;
}

const slice = String.raw`system-cgroupmedic_my\x2dagent.slice`;
const saved = 'var/lib/cgroup-medic/contain-unit/i-1/saved';
const forward = { unit: 'my-agent', allowLimitLoss: 'false', incident: 'i-1', fencing: '1', dryRun: 'false' };
const contain = (node: SystemdNode, parameters = {}, env = {}) =>
  node.run('contain-unit', { ...forward, ...parameters }, env);
const release = (node: SystemdNode, parameters = {}, env = {}) =>
  node.run('release-unit', { incident: 'i-1', dryRun: 'false', ...parameters }, env);
describe.concurrent('contain-unit', () => {
  it('predicts in a dry run what it then does, restarts nothing, and is taken back exactly', async () => {
    const node = open();
    const before = node.files();
    const dry = json(await contain(node, { dryRun: 'true' }));
    expect(node.files()).toEqual(before);
    const result = json(await contain(node));
    const contained = node.files();

    expect(dry).toMatchObject({ changed: false, dryRun: true, undo: null });
    expect(result).toMatchObject({
      changed: true,
      unit: 'my-agent.service',
      before: { slice: 'system.slice', activeState: 'activating', restarts: 17, memoryPerStart: true },
      after: { slice, memoryPerStart: false },
      refusals: [],
      undo: { document: 'release-unit', parameters: { incident: 'i-1', dryRun: 'false' } },
    });
    expect(result.changes).toEqual(dry.changes);
    expect(contained[`etc/systemd/system/${slice}.d/50-cgroup-medic-no-memory.conf`]).toMatch(
      /^644 # .*\n\[Slice\]\nDisableControllers=memory\n$/,
    );
    expect(contained['etc/systemd/system/my-agent.service.d/50-cgroup-medic-slice.conf']).toMatch(
      /^644 # .*\n\[Service\]\nSlice=system-cgroupmedic_my\\x2dagent\.slice\n$/,
    );
    expect(node.systemd.changes()).toEqual(['systemctl daemon-reload']);

    expect(json(await contain(node))).toMatchObject({
      changed: false,
      changes: [],
      undo: { document: 'release-unit' },
    });
    // Named by another incident, it is contained already, and that one has nothing to take back.
    expect(json(await contain(node, { incident: 'i-2', fencing: '2' }))).toMatchObject({
      changed: false,
      undo: null,
    });
    expect(node.files()).toEqual(contained);

    expect(json(await release(node))).toMatchObject({
      changed: true,
      restored: 5,
      skipped: [],
      remaining: 0,
    });
    expect(node.files()).toEqual(before);
    expect(json(await release(node))).toMatchObject({ changed: false, restored: 0 });
  });

  it('stops the slice of its own when that is empty, and only then', async () => {
    for (const populated of ['0', '1']) {
      const node = open();
      await contain(node);
      const group = `/system.slice/${slice}`;
      node.systemd.unit(slice, { ActiveState: 'active', ControlGroup: group, DisableControllers: 'memory' });
      mkdirSync(join(node.root, 'sys/fs/cgroup', group), { recursive: true });
      node.write(`sys/fs/cgroup${group}/cgroup.events`, `populated ${populated}\nfrozen 0\n`);
      const result = json(await release(node));

      expect(result).toMatchObject({ changed: true, remaining: 0 });
      expect(node.systemd.property(slice, 'ActiveState')).toBe(populated === '0' ? 'inactive' : 'active');
      expect(result.skipped).toHaveLength(Number(populated));
    }
  });

  it.each([
    ['a service that runs and does not restart', { ActiveState: 'active', NRestarts: '0' }, 'NRestarts=0'],
    ['one that manages cgroups', { Delegate: 'yes' }, 'manages cgroups of its own'],
    ['one of the kubelet’s slice', { Slice: 'runtime.slice' }, 'belongs to the kubelet'],
    ['one in the pods’ slice', { Slice: 'kubepods-burstable.slice' }, 'belongs to the kubelet'],
    ['one that runs there', { ControlGroup: '/kubepods.slice/x' }, 'belongs to the kubelet'],
    ['one with a limit', { MemoryMax: '1073741824' }, 'has MemoryMax = 1073741824'],
    ['one that may not swap', { MemorySwapMax: '0' }, 'has MemorySwapMax = 0'],
    ['one with a weight of its own', { CPUWeight: '800' }, 'has CPUWeight = 800'],
    ['one with an old weight of its own', { BlockIOWeight: '10' }, 'has BlockIOWeight = 10'],
    [
      'one that runs, and that a socket has started',
      { ActiveState: 'active', NRestarts: '0', TriggeredBy: 'x.socket' },
      'NRestarts=0',
    ],
    ['one with a protection', { MemoryLow: '4096' }, 'has MemoryLow = 4096'],
    ['one in no slice', { Slice: '' }, 'in no slice'],
    ['one in an odd slice', { Slice: '../x.slice' }, 'in no slice that can be told'],
    ['an alias of the kubelet', { Names: 'my-agent.service kubelet.service' }, 'cannot do without'],
    ['what runs the kubelet', { ExecStart: '{ path=/usr/bin/kubelet ; }' }, 'no treatment touches'],
    ['what is not there', { LoadState: 'not-found' }, 'no such service'],
    ['what is masked', { LoadState: 'masked' }, 'no such service'],
  ])('refuses %s, in a dry run and for real', async (_, properties, reason) => {
    const node = open(properties);
    const before = node.files();
    const results = [await contain(node), await contain(node, { dryRun: 'true' })];

    for (const result of results) {
      expect(result.status).toBe('Failed');
      expect(json(result).error).toContain(reason);
    }
    expect(node.files()).toEqual(before);
  });

  it.each([
    ['a crash loop between two starts', { ActiveState: 'active', NRestarts: '3' }],
    ['a service of a timer', { ActiveState: 'active', NRestarts: '0', TriggeredBy: 'x.timer' }],
    ['one that has failed', { ActiveState: 'failed' }],
    ['one in the root slice', { Slice: '-.slice' }],
    [
      'one without a limit, as old and new systemd say it',
      {
        ...{ MemoryMax: 'infinity', MemoryLow: '0', MemoryHigh: '18446744073709551615' },
        ...{ CPUWeight: '[not set]', IOWeight: '18446744073709551615', CPUShares: '1024' },
      },
    ],
  ])('contains %s', async (_, properties) => {
    expect(json(await contain(open(properties)))).toMatchObject({
      changed: true,
      after: { memoryPerStart: false },
    });
  });

  it('gives up limits only where that is allowed', async () => {
    const node = open({ MemoryMax: '5', ControlGroup: '/b.slice' });
    node.write('sys/fs/cgroup/b.slice/memory.max', '5\n');

    expect(json(await contain(node)).error).toContain('(2): my-agent.service has MemoryMax = 5.');
    expect(json(await contain(node, { allowLimitLoss: 'true' }))).toMatchObject({ changed: true });
  });

  it('names slices apart that would be the same without escapes', async () => {
    const names = ['a-b.service', 'a_b.service', 'a@b.service', String.raw`a\x2db.service`];
    const slices: string[] = [];
    for (const unit of names) {
      const result = json(await contain(open({}, unit), { unit }));
      expect(result.changed).toBe(true);
      slices.push(result.after.slice);
    }

    expect(slices).toEqual([
      String.raw`system-cgroupmedic_a\x2db.slice`,
      'system-cgroupmedic_a_b.slice',
      String.raw`system-cgroupmedic_a\x40b.slice`,
      String.raw`system-cgroupmedic_a\x5cx2db.slice`,
    ]);
  });

  it('takes everything back when another drop-in comes after ours, or systemd does not reload', async () => {
    const later = open();
    const drop = 'etc/systemd/system/my-agent.service.d';
    mkdirSync(join(later.root, drop), { recursive: true });
    later.write(`${drop}/90-theirs.conf`, '[Service]\nSlice=theirs.slice\n');
    const broken = open();
    broken.systemd.fail('daemon-reload');
    // The stand-in remembers our slice until the next reload.
    const paths = (node: SystemdNode) =>
      Object.keys(node.files()).filter((path) => path !== `units/${slice}`);
    const files = [later, broken].map(paths);
    const errors = [json(await contain(later)).error, json(await contain(broken)).error];

    expect(errors[0]).toContain('another drop-in comes after ours');
    expect(errors[1]).toContain('daemon-reload failed');
    for (const error of errors) expect(error).toContain('what had been changed was taken back');
    expect([later, broken].map(paths)).toEqual(files);
  });

  it('follows no link that stands in for its directory', async () => {
    const node = open();
    mkdirSync(join(node.root, 'elsewhere'));
    symlinkSync(join(node.root, 'elsewhere'), join(node.root, 'etc/systemd/system/my-agent.service.d'));

    expect(json(await contain(node)).error).toContain('is not a directory');
    expect(existsSync(join(node.root, 'elsewhere/50-cgroup-medic-slice.conf'))).toBe(false);
  });
});

describe('killed between any two commands', { timeout: 300_000 }, () => {
  const pair = () => ({
    start: open(),
    copy: copyOfSystemdNode,
    treat: contain,
    undo: release,
    state: (node: SystemdNode) => node.files(),
    saved,
  });

  it('contain-unit leaves the node as it was, or so that its inverse makes it so', () =>
    expectToBeUndone(pair(), 9));

  it('release-unit is finished by the next one', () => expectToBeFinished(pair(), 5));
});
