import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { documentNames, loadDocument } from '../../ssm-documents/load.ts';
import { isRoot, json } from './node-folder.ts';
import { canMount, first, fullDisk, readOnly } from './sick-node.ts';
import { type SystemdNode, systemdNode } from './systemd-node.ts';

const medic = 'var/lib/cgroup-medic';
const nodes: SystemdNode[] = [];
afterAll(() => {
  for (const node of nodes.splice(0)) node.close();
});

function open(): SystemdNode {
  const node = systemdNode();
  nodes.push(node);
  node.systemd.unit('my-agent.service', {
    Slice: 'system.slice',
    ActiveState: 'activating',
    SubState: 'auto-restart',
    NRestarts: '17',
  });
  return node;
}

/** Treatments that write below /etc, with their inverses. */
const pairs = [
  ['contain-sessions', 'release-sessions', {}],
  ['contain-unit', 'release-unit', { unit: 'my-agent' }],
  ['disable-agent', 'enable-agent', { unit: 'my-agent', stopSeconds: '15' }],
] as const;
const undone = { incident: 'i-1' };
const given = { ...undone, fencing: '1' };
const patience = { timeout: 120_000 };

/** Without what a start of the agent changes of itself. */
const settled = (node: SystemdNode) =>
  Object.fromEntries(
    Object.entries(node.files()).map(([path, text]) => [
      path,
      text
        .replace(/\n(ExecMainStartTimestampMonotonic|MainPID|SubState|Result)=[^\n]*/g, '')
        .replace('ActiveState=activating', 'ActiveState=active')
        // A plain file keeps the last text written to it; the kernel's would list the controllers again.
        .replace(path.endsWith('/cgroup.subtree_control') ? / .*memory.*/s : /$^/, ' memory'),
    ]),
  );

describe.skipIf(!canMount)('on a disk that takes nothing (needs root, to mount)', () => {
  describe.concurrent.each(pairs)('%s', (name, inverse, more) => {
    const parameters = { ...given, ...more };

    it('changes nothing where its record does not fit on the disk', patience, async () => {
      const node = open();
      mkdirSync(join(node.root, medic), { recursive: true, mode: 0o700 });
      const before = settled(node);
      const result = json(await node.run(name, parameters, fullDisk('/var/lib/cgroup-medic')));

      expect(result.error).toMatch(/^cannot (write|create|record)/);
      expect(settled(node)).toEqual(before);
    });

    it('takes back what it has begun where /etc is full', patience, async () => {
      const node = open();
      const before = settled(node);
      const result = json(await node.run(name, parameters, fullDisk('/etc')));

      expect(result.error).toMatch(/^cannot write .*; what had been changed was taken back$/);
      expect(node.read('etc-then')).not.toContain('cgroup-medic');
      expect(node.read('etc-then')).not.toMatch(/\.d$/m);
      expect(settled(node)).toEqual(before);
      expect(existsSync(join(node.root, medic, name, 'i-1/saved'))).toBe(false);
    });

    it('says beforehand that /etc is read-only, also in a dry run', patience, async () => {
      const node = open();
      const before = settled(node);
      const results = [
        await node.run(name, { ...parameters, dryRun: 'true' }, readOnly('/etc')),
        await node.run(name, parameters, readOnly('/etc')),
      ];

      for (const result of results) expect(json(result).error).toMatch(/^cannot write to .*read-only\?$/);
      expect(settled(node)).toEqual(before);
    });

    it('is taken back on a disk that has become full', patience, async () => {
      const node = open();
      const before = settled(node);
      expect(json(await node.run(name, parameters)).changed).toBe(true);
      // Not even the name of its holder fits into the lock.
      node.write(`${medic}/lock`, '');
      const result = json(await node.run(inverse, undone, fullDisk('/var/lib/cgroup-medic')));

      expect(result).toMatchObject({ changed: true, remaining: 0, skipped: [] });
      expect(settled(node)).toEqual(before);
    });

    it('is not taken back on a read-only /etc, which is said, and kept for later', patience, async () => {
      const node = open();
      const before = settled(node);
      await node.run(name, parameters);
      const result = await node.run(inverse, undone, readOnly('/etc'));

      expect(result.status).toBe('Failed');
      expect(json(result).remaining).toBeGreaterThan(0);
      expect(json(await node.run(inverse, undone))).toMatchObject({ remaining: 0, skipped: [] });
      expect(settled(node)).toEqual(before);
    });
  });
});

describe.concurrent('a sync that hangs in the kernel', () => {
  it('holds neither the document nor the lock of the node', patience, async () => {
    const node = open();
    const bin = mkdtempSync(join(node.root, 'bin-'));
    writeFileSync(join(bin, 'sync'), `#!/bin/sh\ntrap "" TERM\necho $$ >>'${bin}/pids'\nexec sleep 40\n`, {
      mode: 0o755,
    });
    const env = {
      PATH: `${bin}:/usr/bin:/bin`,
      ...first(
        `set -o functrace; trap 'if [[ "$BASH_COMMAND" == main* ]]; then trap - DEBUG; SYNC_SECONDS=1; fi' DEBUG`,
      ),
    };
    const started = Date.now();
    const result = await node.run('contain-unit', { ...given, unit: 'my-agent' }, env);
    const next = await node.run('contain-unit', { incident: 'i-2', fencing: '2', unit: 'my-agent' });
    const hanging = readFileSync(join(bin, 'pids'), 'utf8').trim().split('\n').map(Number);
    const alive = hanging.filter((pid) => existsSync(`/proc/${pid}`)).length;
    for (const pid of hanging) process.kill(pid, 'SIGKILL');

    expect(json(result)).toMatchObject({ changed: true });
    expect(result.stderr).toContain('could not sync');
    // It hung all the while: the record, and a drop-in each for the unit and its slice.
    expect([hanging.length, alive]).toEqual([3, 3]);
    expect(Date.now() - started).toBeLessThan(40_000);
    expect(json(next)).toMatchObject({ changed: false, undo: null });
  });
});

describe('what is kept on the node', () => {
  const withIncident = documentNames.filter((name) => 'incident' in loadDocument(name).content.parameters);
  const named: Record<string, string> = {
    ...given,
    unit: 'my-agent',
    users: 'alice',
    approval: 'policy:p',
    slices: '/user.slice',
    minUptimeSeconds: '300',
  };
  const run = (node: SystemdNode, name: string) => {
    const rules = loadDocument(name).content.parameters;
    return node.run(
      name,
      Object.fromEntries(Object.entries(named).filter(([key]) => Object.hasOwn(rules, key))),
    );
  };

  const foreign: [string, (node: SystemdNode, path: string) => void, RegExp][] = [
    [
      'a link to a directory',
      ({ root }, path) => {
        mkdirSync(join(root, 'elsewhere'), { mode: 0o700 });
        mkdirSync(join(root, path, '..'), { recursive: true, mode: 0o700 });
        symlinkSync(join(root, 'elsewhere'), join(root, path));
      },
      /is not a directory of its own \(a link\?\)/,
    ],
    [
      'a directory that a group may write to',
      ({ root }, path) => {
        mkdirSync(join(root, path), { recursive: true, mode: 0o700 });
        chmodSync(join(root, path), 0o770);
      },
      /others may write to it/,
    ],
    ...(isRoot
      ? ([
          [
            'a directory of somebody else',
            ({ root }, path) => {
              mkdirSync(join(root, path), { recursive: true, mode: 0o700 });
              chownSync(join(root, path), 4711, 4711);
            },
            /belongs to somebody else/,
          ],
        ] as (typeof foreign)[number][])
      : []),
  ];
  it.concurrent.each(
    withIncident.flatMap((name) => foreign.map(([what, make, error]) => [name, what, make, error] as const)),
  )('%s does not use %s as its own', patience, async (name, _, make, error) => {
    const node = open();
    make(node, medic);
    const before = settled(node);
    const result = await run(node, name);

    expect(json(result).error).toMatch(error);
    expect(settled(node)).toEqual(before);
    expect(existsSync(join(node.root, 'elsewhere')) && readdirSync(join(node.root, 'elsewhere'))).not.toEqual(
      expect.arrayContaining([expect.any(String)]),
    );
  });

  it('is not believed when somebody else could have written it', patience, async () => {
    const node = open();
    const state = join(node.root, medic, 'contain-unit/i-1');
    mkdirSync(state, { recursive: true, mode: 0o700 });
    const cksum = spawnSync('cksum', { input: node.read('etc/passwd') })
      .stdout.toString()
      .trim();
    writeFileSync(join(state, 'saved'), `file\t/etc/passwd\tabsent\tfile ${cksum} 644\n`);
    chmodSync(state, 0o777);
    const refused = json(await node.run('release-unit', undone));
    const kept = existsSync(join(node.root, 'etc/passwd'));

    expect(refused.error).toContain('others may write to it');
    expect(kept).toBe(true);
  });

  it('is written to a new file, never through a link that lies in its place', patience, async () => {
    const node = open();
    const folder = join(node.root, 'etc/systemd/system/my-agent.service.d');
    mkdirSync(folder);
    writeFileSync(join(node.root, 'victim'), 'precious\n');
    symlinkSync(join(node.root, 'victim'), join(folder, '50-cgroup-medic-slice.conf.new'));
    const result = json(await node.run('contain-unit', { ...given, unit: 'my-agent' }));

    expect(result.changed).toBe(true);
    expect(node.read('victim')).toBe('precious\n');
  });
});

describe.concurrent('a command that fails where none was expected to', () => {
  it.each([
    ['release-unit', undone, 'print_undo_result'],
    ['contain-unit', { ...given, unit: 'my-agent' }, 'print_result*'],
    ['reclaim', { ...given, slices: '/user.slice' }, 'settle'],
  ])('ends %s with an error that the caller can read', patience, async (name, parameters, command) => {
    const node = open();
    const env = first(
      `set -o functrace; trap 'if [[ "$BASH_COMMAND" == ${command} ]]; then trap - DEBUG; log() { :; }; false; print_undo_result() { false; }; print_result() { false; }; settle() { false; }; fi' DEBUG`,
    );
    const result = await node.run(name, parameters, env);

    expect(result.status).toBe('Failed');
    expect(json(result)).toEqual({
      version: 1,
      document: name,
      error: 'a command failed unexpectedly (exit code 1): see the log of this run',
    });
  });
});

describe('a child that is given a time limit', () => {
  // It leaves our process group, so that a kill of the document does not reach it.
  it.each(documentNames.filter((name) => 'fencing' in loadDocument(name).content.parameters))(
    'does not take the lock of %s along',
    (name) => {
      const script = loadDocument(name)
        .content.mainSteps.flatMap((step) => step.inputs.runCommand)
        .join('\n')
        .replaceAll('\\\n', ' ');
      const limited = script.split('\n').filter((line) => /(?<!-)\btimeout (-k |[0-9"])/.test(line));
      // A call that goes on over lines, in quotes, ends where its redirection is.
      const without = limited.filter((line) => !line.includes('9>&-') && !/ '$|awk .*'$|&&$/.test(line));

      expect(without).toEqual([]);
    },
  );
});

describe.concurrent('what systemd says', () => {
  // bash 5.0 takes a backslash in a bare word for a pattern, as every bash does with a bracket.
  const odd = 'sh[o]p.service';
  it('is text, also where a name looks like a pattern', patience, async () => {
    const node = open();
    node.systemd.unit(odd, {});
    node.systemd.unit('my-agent.service', { Slice: 'system.slice', RequiredBy: odd });
    const result = json(await node.run('disable-agent', { ...given, unit: 'my-agent' }));

    expect(result.error).toContain(`${odd} needs my-agent.service`);
  });

  it('is asked once more before an agent is stopped', patience, async () => {
    const node = open();
    const before = settled(node);
    node.systemd.unit('late.service', {});
    // Between our first look and the stop, somebody installs a unit that needs it.
    node.systemd.on('daemon-reload', 'reload; echo RequiredBy=late.service >>"$root/units/my-agent.service"');
    const result = json(await node.run('disable-agent', { ...given, unit: 'my-agent' }));

    expect(result.error).toMatch(/^late.service needs my-agent.service .* was taken back$/);
    expect(node.systemd.property('my-agent.service', 'ActiveState')).toBe('activating');
    expect(Object.keys(settled(node))).toEqual([...Object.keys(before), 'units/late.service'].sort());
  });

  it.each(['RequiredByOverridable', 'RequisiteOfOverridable'])(
    'is read as old systemds say it: %s',
    patience,
    async (property) => {
      const node = open();
      node.systemd.unit('shop.service', {});
      node.systemd.unit('my-agent.service', { Slice: 'system.slice', [property]: 'shop.service' });
      node.systemd.grow219();
      const result = json(await node.run('disable-agent', { ...given, unit: 'my-agent' }));

      expect(result.error).toContain('shop.service needs my-agent.service');
    },
  );

  it('names no unit at all where the unit file has moved away meanwhile', patience, async () => {
    const node = open();
    renameSync(join(node.root, 'units/my-agent.service'), join(node.root, 'units/other.service'));

    for (const name of ['contain-unit', 'disable-agent'])
      expect(json(await node.run(name, { ...given, unit: 'my-agent' })).error).toContain('no such service');
    rmSync(join(node.root, 'units/other.service'));
  });
});
