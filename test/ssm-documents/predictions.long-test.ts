import { spawn, spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DocumentResult } from '../../local/node/ssm-agent.ts';
import { documentNames, loadDocument } from '../../ssm-documents/load.ts';
import { json, type NodeFolder, smallTree } from './node-folder.ts';
import { runtimeId, type StandInRuntime, standInRuntime } from './stand-in-runtime.ts';
import { healthyKubelet, startedSecondsAgo } from './stand-in-systemd.ts';
import { type SystemdNode, systemdNode, v1Tree } from './systemd-node.ts';

const medic = 'var/lib/cgroup-medic';
const bin = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-bin-'));
const server = createServer((_, response) => response.end('ok'));
const nodes: NodeFolder[] = [];
const runtimes: StandInRuntime[] = [];
let env: Record<string, string> = {};
beforeAll(async () => {
  // The real one would write back what everybody on this host has dirtied.
  writeFileSync(join(bin, 'sync'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = String(typeof address === 'object' ? address?.port : '');
  env = { PATH: `${bin}:/usr/bin:/bin`, CGROUP_MEDIC_HEALTHZ_PORT: port };
});
afterAll(() => {
  for (const runtime of runtimes) runtime.close();
  for (const node of nodes) node.close();
  server.close();
  rmSync(bin, { recursive: true, force: true });
});

/** What a scenario does to a node before the document runs on it. */
type Prepare = (node: SystemdNode) => unknown;

const put = (node: NodeFolder, path: string, text: string) => {
  mkdirSync(join(node.root, path, '..'), { recursive: true });
  node.write(path, text);
};
const agent: Prepare = ({ systemd }) =>
  systemd.unit('my-agent.service', {
    Slice: 'system.slice',
    ActiveState: 'activating',
    SubState: 'auto-restart',
    NRestarts: '17',
  });
const closing: Prepare = (node) => put(node, 'run/systemd/sessions/1', 'UID=1000\nSTATE=closing\n');
const scope = (name: string, properties: Record<string, string> = {}): Prepare => {
  return ({ systemd }) =>
    systemd.unit(name, {
      SubState: 'abandoned',
      ActiveEnterTimestampMonotonic: '1',
      StateChangeTimestampMonotonic: '1',
      ControlGroup: `/user.slice/${name}`,
      ...properties,
    });
};
const exited: Prepare = (node) => {
  const runtime = standInRuntime(node.root);
  runtimes.push(runtime);
  const day = 86_400;
  runtime.add(
    { id: runtimeId('old'), createdSecondsAgo: 5 * day },
    { id: runtimeId('oldest'), createdSecondsAgo: 9 * day },
    { id: runtimeId('last'), createdSecondsAgo: 2 * day },
    { id: runtimeId('odd'), createdSecondsAgo: 8 * day, inspected: { state: 'CONTAINER_RUNNING' } },
  );
};
const plainKnob: Prepare = (node) => {
  rmSync(join(node.root, 'proc/sys/vm/drop_caches'));
  node.write('proc/sys/vm/drop_caches', '0\n');
};
const kubelet =
  (properties: Record<string, string> = {}): Prepare =>
  ({ systemd }) =>
    systemd.unit('kubelet.service', {
      ...healthyKubelet,
      ExecMainStartTimestampMonotonic: startedSecondsAgo(90),
      ...properties,
    });

type Treatment = {
  parameters: Record<string, string>;
  node: () => SystemdNode;
  prepare: Prepare;
  /** What else there can be, each with a part of what is then said or done. */
  others: readonly Scenario[];
};
type Scenario = readonly [name: string, prepare: Prepare, said: string, more?: Record<string, string>];
const node = () => systemdNode();
const small = () => systemdNode(smallTree);
/** Every treatment, on a node where it has something to do, and its refusals. */
const treatments: Record<string, Treatment> = {
  'contain-sessions': {
    parameters: {},
    node,
    prepare: () => {},
    others: [
      ['a limit', (at) => put(at, 'sys/fs/cgroup/user.slice/memory.max', '5\n'), 'would be lost'],
      [
        'a file in its way',
        (at) => put(at, 'etc/systemd/system/user.slice.d/50-cgroup-medic-no-memory.conf', 'x\n'),
        'exists already',
      ],
    ],
  },
  'contain-unit': {
    parameters: { unit: 'my-agent' },
    node,
    prepare: agent,
    others: [
      [
        'a service that does not churn',
        ({ systemd }) => systemd.unit('my-agent.service', { Slice: 'system.slice', NRestarts: '0' }),
        'NRestarts=0',
      ],
      ['what is protected', () => {}, 'cannot do without', { unit: 'kubelet' }],
      [
        'a file in its way',
        (at) => put(at, 'etc/systemd/system/my-agent.service.d/50-cgroup-medic-slice.conf', 'x\n'),
        'exists already',
      ],
    ],
  },
  'disable-agent': {
    parameters: { unit: 'my-agent', stopSeconds: '15' },
    node,
    prepare: agent,
    others: [
      ['what is protected', () => {}, 'cannot do without', { unit: 'sshd' }],
      [
        'what something needs',
        ({ systemd }) => {
          systemd.unit('my-agent.service', { Slice: 'system.slice', RequiredBy: 'user.slice' });
        },
        'user.slice needs',
      ],
      ['a file in its way', (at) => put(at, 'etc/cgroup-medic', 'x\n'), 'is not a directory'],
    ],
  },
  'drop-caches': {
    parameters: { approval: 'policy:p', maxSeconds: '30' },
    node: small,
    prepare: plainKnob,
    others: [
      [
        'IO pressure',
        (at) => at.write('proc/pressure/io', 'full avg10=50.00 avg60=0.00 avg300=0.00 total=0\n'),
        'waits for IO 50 %',
      ],
      ['no knob', ({ root }) => rmSync(join(root, 'proc/sys/vm/drop_caches')), 'is missing'],
    ],
  },
  'enable-linger': {
    parameters: { users: 'alice nobody-here bob' },
    node,
    prepare: () => {},
    others: [['no such user', () => {}, 'there is no such user', { users: 'nobody-here' }]],
  },
  'prune-containers': {
    parameters: {},
    node: small,
    prepare: exited,
    others: [['no crictl', ({ root }) => rmSync(join(root, 'usr/bin/crictl')), 'crictl is missing']],
  },
  reclaim: {
    parameters: { slices: '/a.slice /gone.slice', cpuPercent: '50', maxSeconds: '30' },
    node: small,
    prepare: () => {},
    others: [['no slice', () => {}, 'does not exist', { slices: '/gone.slice' }]],
  },
  'restart-kubelet': {
    parameters: { minUptimeSeconds: '60', maxSeconds: '30' },
    node: small,
    prepare: kubelet(),
    others: [
      ['one that would take pods along', kubelet({ KillMode: 'mixed' }), 'KillMode=mixed'],
      ['one that is stopped', kubelet({ ActiveState: 'inactive', SubState: 'dead' }), 'is stopped'],
    ],
  },
  'restart-logind': {
    parameters: {},
    node: small,
    prepare: closing,
    others: [
      [
        'no session that is closing',
        ({ root }) => rmSync(join(root, 'run/systemd/sessions/1')),
        'no session',
      ],
      [
        'one that was just started',
        ({ systemd }) =>
          systemd.unit('systemd-logind.service', { ActiveEnterTimestampMonotonic: '900000000' }),
        'another restart will not clear them',
      ],
      [
        'no logind',
        ({ root }) => rmSync(join(root, 'units/systemd-logind.service')),
        'has no systemd-logind',
      ],
    ],
  },
  'stop-scopes': {
    parameters: { minAgeSeconds: '300' },
    node: () => systemdNode(v1Tree),
    prepare: (at) => {
      scope('session-1.scope')(at);
      scope('session-2.scope')(at);
      put(at, 'sys/fs/cgroup/systemd/user.slice/session-2.scope/cgroup.procs', '4711\n');
      mkdirSync(join(at.root, 'sys/fs/cgroup/memory/kubepods/podaaaaaaaa-2222-3333-4444-555555555555'), {
        recursive: true,
      });
      mkdirSync(join(at.root, 'sys/fs/cgroup/memory/run-gone.scope'));
      for (const path of ['run-gone.scope', 'kubepods/podaaaaaaaa-2222-3333-4444-555555555555'])
        spawnSync('touch', ['-d', '2 hours ago', join(at.root, 'sys/fs/cgroup/memory', path)]);
    },
    others: [
      [
        'a login that is not over',
        (at) => put(at, 'run/systemd/sessions/2', 'STATE=active\n'),
        'its login is not over',
        { endProcesses: 'true', processesOf: 'alice' },
      ],
      ['a systemd that lists nothing', ({ systemd }) => systemd.fail('list-units'), 'does not list'],
    ],
  },
};

/** Every inverse, of which treatment. */
const inverses: Record<string, string> = {
  'disable-linger': 'enable-linger',
  'enable-agent': 'disable-agent',
  'reclaim-restore': 'reclaim',
  'release-sessions': 'contain-sessions',
  'release-unit': 'contain-unit',
};

const needs240 = ['contain-sessions', 'contain-unit'];
const needNoSystemd = ['drop-caches', 'prune-containers', 'reclaim'];
const turn = { incident: 'i-1', fencing: '5' };

function open(name: string, prepare: Prepare = () => {}): SystemdNode {
  const treatment = treatments[name];
  if (treatment === undefined) throw new Error(`there is no scenario for ${name}`);
  const opened = treatment.node();
  nodes.push(opened);
  treatment.prepare(opened);
  prepare(opened);
  return opened;
}

/** Everything on the node but the log of the stand-ins, the holder of the lock, and what the kernel model counts. */
function everything({ root }: NodeFolder): Record<string, string> {
  return Object.fromEntries(
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((path) => !/^(calls|var\/lib\/cgroup-medic\/lock|proc\/(uptime|meminfo|vmstat))$/.test(path))
      .sort()
      .map((path) => {
        const stat = lstatSync(join(root, path));
        const text = stat.isFile() ? readFileSync(join(root, path), 'utf8') : '';
        return [path, `${stat.mode.toString(8)} ${text}`];
      }),
  );
}

/** What a run says that it would do, has done, or refuses; without times. */
function said(result: DocumentResult) {
  const { error, changes, refusals, slices, restored, skipped, remaining } = json(result);
  const paths = slices?.map(({ path }: { path: string }) => path);
  const text = JSON.stringify({ error, changes, refusals, paths, restored, skipped, remaining });
  return text.replace(/\d+ s ago/g, 'N s ago').replace(/pid \d+/g, 'pid N');
}

const run = (at: NodeFolder, name: string, parameters: Record<string, string>) => {
  const rules = loadDocument(name).content.parameters;
  const known = Object.entries(parameters).filter(([key]) => Object.hasOwn(rules, key));
  return at.run(name, Object.fromEntries(known), env);
};

/** A dry run that changes nothing, and the real one, which says the same. */
async function compare(at: NodeFolder, name: string, parameters: Record<string, string>) {
  const before = everything(at);
  const dry = await run(at, name, { ...parameters, dryRun: 'true' });
  expect(everything(at)).toEqual(before);
  const real = await run(at, name, { ...parameters, dryRun: 'false' });
  expect(said(dry)).toBe(said(real));
  expect(dry.status).toBe(real.status);
  expect(json(dry).changed ?? false).toBe(false);
  return real;
}

it('there is a scenario for every treatment and every inverse', () => {
  const dryRuns = documentNames.filter((name) => 'dryRun' in loadDocument(name).content.parameters);

  expect([...Object.keys(treatments), ...Object.keys(inverses)].sort()).toEqual(dryRuns);
});

describe.concurrent.each(Object.entries(treatments))('%s', (name, { parameters, others }) => {
  const given = { ...turn, ...parameters };

  it('does what its dry run says, and nothing the second time', { timeout: 120_000 }, async () => {
    const at = open(name);
    const real = await compare(at, name, given);
    const then = everything(at);
    const again = await run(at, name, { ...given, dryRun: 'false' });

    expect(real.status).toBe('Success');
    expect(json(real).changed).toBe(true);
    expect(again.status).toBe('Success');
    // A reclaim may find a little more.
    if (name !== 'reclaim') {
      expect(json(again)).toMatchObject({ changed: false, changes: [] });
      expect(everything(at)).toEqual(then);
    }
  });

  const elsewhere: typeof others = [
    [
      'an undo that came first',
      (at) => put(at, `${medic}/${name}/i-1/undone`, ''),
      'was undone on this node',
    ],
    ['a newer lease', (at) => put(at, `${medic}/fencing`, '10 newer\n'), 'is older than 10'],
    [
      'a state that others may write to',
      ({ root }) => {
        mkdirSync(join(root, medic), { recursive: true });
        spawnSync('chmod', ['777', join(root, medic)]);
      },
      'others may write to it',
    ],
    ...(needNoSystemd.includes(name)
      ? []
      : ([
          [
            'no systemd',
            ({ root }: NodeFolder) => rmSync(join(root, 'run/systemd/system'), { recursive: true }),
            'systemd does not run this node',
          ],
        ] as const)),
  ];
  it.each(
    [...others, ...elsewhere].map(([what, prepare, text, more = {}]) => ({ what, prepare, text, more })),
  )('with $what refuses what its dry run refuses', { timeout: 120_000 }, async ({ prepare, text, more }) => {
    const at = open(name, prepare);
    const real = await compare(at, name, { ...given, ...more });

    expect(said(real)).toContain(text);
  });

  it('refuses beside another, as its dry run does', { timeout: 120_000 }, async () => {
    const at = open(name);
    put(at, `${medic}/lock`, 'incident other, pid 1, x\n');
    spawnSync('chmod', ['700', join(at.root, medic)]);
    const lock = join(at.root, medic, 'lock');
    const held = spawn('flock', [lock, 'sleep', '60'], { detached: true, stdio: 'ignore' });
    while (spawnSync('flock', ['-n', lock, 'true']).status === 0);
    try {
      expect(said(await compare(at, name, given))).toContain(
        'another treatment is at work on this node (incident other',
      );
    } finally {
      if (held.pid !== undefined) process.kill(-held.pid);
    }
  });

  it('works with systemd 219, or says which it needs', { timeout: 120_000 }, async () => {
    const at = open(name, ({ systemd }) => systemd.grow219());
    const real = await compare(at, name, given);

    if (needs240.includes(name))
      expect(json(real).error).toBe('systemd 219 does not know DisableControllers: it needs 240 or later');
    else expect(json(real).changed).toBe(true);
  });
});

describe.concurrent.each(Object.entries(inverses))('%s', (name, treatment) => {
  const given = { ...turn, ...treatments[treatment]?.parameters };
  const treated = async (prepare: Prepare = () => {}) => {
    const at = open(treatment, prepare);
    if (treatment === 'reclaim') {
      put(
        at,
        `${medic}/reclaim/i-1/saved`,
        'boot 00000000-0000-4000-8000-000000000001\nrun x\nlow 0 1125899906842624 /b.slice\nlow 0 1125899906842624 /a.slice/plain\n',
      );
      for (const path of ['b.slice', 'a.slice/plain'])
        at.write(`sys/fs/cgroup/${path}/memory.low`, '1125899906842624\n');
    } else expect(json(await run(at, treatment, { ...given, dryRun: 'false' })).changed).toBe(true);
    return at;
  };

  it.each(needs240.includes(treatment) ? ['252'] : ['252', '219'])(
    'takes back what its dry run says, and nothing the second time, with systemd %s',
    { timeout: 120_000 },
    async (version) => {
      const at = await treated(({ systemd }) => {
        if (version === '219') systemd.grow219();
      });
      const real = await compare(at, name, turn);
      const then = everything(at);
      const again = await run(at, name, { ...turn, dryRun: 'false' });

      expect(json(real)).toMatchObject({ changed: true, skipped: [], remaining: 0 });
      expect(json(again)).toMatchObject({ changed: false, restored: 0, skipped: [], remaining: 0 });
      expect(everything(at)).toEqual(then);
    },
  );

  it('leaves alone what its dry run says that somebody has changed since', { timeout: 120_000 }, async () => {
    const at = await treated();
    const file = Object.keys(at.files()).find((path) => /^etc\/.*cgroup-medic.*\.conf$/.test(path));
    if (file !== undefined) at.write(file, '# mine\n');
    else if (treatment === 'reclaim') at.write('sys/fs/cgroup/b.slice/memory.low', '4096\n');
    else rmSync(join(at.root, 'var/lib/systemd/linger/alice'));
    const real = json(await compare(at, name, turn));

    // A linger that somebody has ended is as it was.
    expect(real.skipped.length > 0).toBe(treatment !== 'enable-linger');
    expect(real.remaining).toBe(0);
    if (file !== undefined) expect(at.read(file)).toBe('# mine\n');
  });

  it('has nothing to do for an incident that it does not know', { timeout: 120_000 }, async () => {
    const at = await treated();
    const real = json(await compare(at, name, { incident: 'unknown' }));

    expect(real).toMatchObject({ changed: false, restored: 0, skipped: [], remaining: 0 });
  });
});
