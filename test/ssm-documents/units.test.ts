import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runParts } from './shell-parts.ts';
import { type StandIns, standIns } from './stand-in-systemd.ts';
import { untouchable } from './untouchable.ts';

let root: string;
let node: StandIns;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-units-'));
  node = standIns(root);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const run = (code: string, env = {}) => runParts(['systemd', 'protected', 'units'], code, { root, env });
/** "ok NAME" or the reason, for each of many names in one shell. */
function resolve(...names: string[]): string[] {
  const list = join(root, 'names');
  writeFileSync(list, names.map((name) => `${name}\0`).join(''));
  const { stdout, stderr, status } = run(
    `find_systemd; while IFS= read -r -d '' name; do if resolve_service "$name"; then printf 'ok %s\\0' "$UNIT"; else printf '%s\\0' "$REASON"; fi; done <'${list}'`,
  );
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout.split('\0').slice(0, -1);
}

describe('which service is meant', () => {
  it('is what systemd calls it', () => {
    node.unit('ecs-agent.service', { ExecStart: '{ path=/usr/bin/ecs ; argv[]=/usr/bin/ecs -v ; }' });
    node.unit('worker@1.service', {});
    node.unit('old-name.service', { Id: 'new-name.service', Names: 'new-name.service old-name.service' });

    expect(
      resolve('ecs-agent', 'ecs-agent.service', 'worker@1', 'old-name', 'missing', 'worker@', 'a.timer'),
    ).toEqual([
      'ok ecs-agent.service',
      'ok ecs-agent.service',
      'ok worker@1.service',
      'ok new-name.service',
      'there is no such service (systemd says: not-found)',
      'a template: name one instance of it',
      'a timer, not a service: name the service that makes the memory cgroups',
    ]);
  });

  it.each([
    '',
    ' ',
    'a b',
    'kubelet ',
    ' kubelet',
    'kubelet\n',
    'kubelet\t',
    '/usr/lib/systemd/system/kubelet.service',
    '../kubelet.service',
    './kubelet',
    '-kubelet',
    '--help',
    'kubelet*',
    'kube?et',
    '[k]ubelet',
    '$(id)',
    'kub\u0435let',
    '\u212Aubelet',
    'kubelet\u200b',
    'x'.repeat(256),
  ])('is nothing for %j', (name) => {
    expect(resolve(name)[0]).toMatch(/^not the name of a unit/);
    expect(node.changes()).toEqual([]);
  });
});

describe('services that no treatment touches', () => {
  it('are refused by their names, with or without suffix, in any case, and escaped', () => {
    const forms = untouchable.flatMap((name) => [
      name,
      `${name}.service`,
      name.toUpperCase(),
      `\\x${name.charCodeAt(0).toString(16)}${name.slice(1)}`,
      `${name.replaceAll('-', '\\x2d')}`,
    ]);
    const refused = resolve(...forms);

    expect(refused.filter((reason) => !reason.includes('what the node cannot do without'))).toEqual([]);
    expect(refused).toHaveLength(forms.length);
  });

  it.each(untouchable)(
    '%s is refused as an alias of something harmless, and as the link of its unit file',
    (name) => {
      node.unit('alias.service', { Id: `${name}.service`, Names: `alias.service ${name}.service` });
      node.unit('hidden.service', { Names: `hidden.service ${name}.service` });
      node.unit('linked.service', { FragmentPath: '/etc/systemd/system/linked.service' });
      mkdirSync(join(root, 'etc/systemd/system'), { recursive: true });
      symlinkSync(`/usr/lib/systemd/system/${name}.service`, join(root, 'etc/systemd/system/linked.service'));

      for (const reason of resolve('alias', 'hidden', 'linked')) {
        expect(reason).toContain('what the node cannot do without');
      }
    },
  );

  it.each([
    '/usr/bin/kubelet',
    '/snap/amazon-ssm-agent/1/amazon-ssm-agent',
    '/usr/sbin/sshd',
    '/lib/systemd/systemd-logind',
  ])('are refused by what they run: %s', (path) => {
    node.unit('harmless.service', {
      ExecStart: `{ path=/bin/true ; argv[]=/bin/true path=; ; }\nExecStart={ path=${path} ; argv[]=${path} -x ; }`,
    });

    expect(resolve('harmless')).toEqual([`it runs ${path}, which no treatment touches`]);
  });

  it.each([
    ["/bin/sh ; argv[]=/bin/sh -c 'exec /usr/bin/kubelet --x' ; ", '/usr/bin/kubelet'],
    ['/usr/bin/env ; argv[]=/usr/bin/env A=1 containerd ; ', 'containerd'],
    ['/usr/bin/nice ; argv[]=/usr/bin/nice -n5 /opt/x/amazon-ssm-agent ; ', '/opt/x/amazon-ssm-agent'],
  ])('are refused by what a shell or a wrapper runs: %s', (text, path) => {
    node.unit('harmless.service', { ExecStart: `{ path=${text}}` });

    expect(resolve('harmless')).toEqual([`it runs ${path}, which no treatment touches`]);
  });

  it('do not take their neighbours with them', () => {
    const harmless = [
      'ecs',
      'ecs-agent',
      'datadog-agent',
      'node_exporter',
      'userdata',
      'sessions',
      'my.kubelet-watcher',
    ];
    for (const name of harmless)
      node.unit(`${name}.service`, { ExecStart: '{ path=/bin/bash ; argv[]=/bin/bash ; }' });

    expect(resolve(...harmless)).toEqual(harmless.map((name) => `ok ${name}.service`));
  });
});

describe('systemd', () => {
  const find = 'find_systemd && echo "$SYSTEMD_VERSION" || echo "$REASON"';

  it('tells the version that runs', () => {
    expect(run(find).stdout).toBe('252\n');
    writeFileSync(join(root, 'units/manager'), 'Version=219\n');
    expect(run(find).stdout).toBe('219\n');
  });

  it('is not taken for this host’s when a recorded node has none', () => {
    rmSync(join(root, 'usr'), { recursive: true });
    expect(run(find).stdout).toBe('systemctl is missing on this node\n');
    rmSync(join(root, 'run'), { recursive: true });
    expect(run(find).stdout).toBe('systemd does not run this node (/run/systemd/system is missing)\n');
  });

  it('may hang, fail, or say something else: a reason, in time', () => {
    node.hang('show', 'daemon-reload');
    expect(run(`ASK_SECONDS=1; ${find}`).stdout).toMatch(/^systemd does not answer/);
    expect(
      run('SYSTEMCTL="$ROOT/usr/bin/systemctl" RELOAD_SECONDS=1; reload_systemd || echo "$REASON"').stdout,
    ).toBe('systemctl daemon-reload did not end within 1 s\n');
    node.hang();
    node.fail('show', 'daemon-reload');
    expect(run(find).stdout).toMatch(/^systemd does not answer/);
    expect(run('SYSTEMCTL="$ROOT/usr/bin/systemctl"; reload_systemd || echo "$REASON"').stdout).toBe(
      'systemctl daemon-reload failed with 1\n',
    );
    node.fail();
    writeFileSync(join(root, 'units/manager'), 'System has not been booted\n');
    expect(run(find).stdout).toBe(
      'systemd does not tell its version: it said "System has not been booted"\n',
    );
  });

  it('may answer with properties nobody asked for, none, or nonsense', () => {
    node.unit('odd.service', {});
    writeFileSync(
      join(root, 'units/odd.service'),
      'Id=odd.service\nNames=odd.service\nLoadState=loaded\n=x\n]=$(touch canary)\na b\n\nExecStart=\n',
    );

    expect(resolve('odd')).toEqual(['ok odd.service']);
    writeFileSync(join(root, 'units/odd.service'), '\n');
    expect(resolve('odd')).toEqual(['there is no such service (systemd says: nothing)']);
  });
});
