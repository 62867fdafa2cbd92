import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { isInstalled } from '../../bin/exec.ts';
import { materialise, type Tree } from '../../local/node/recorded-tree.ts';
import { isV1Host } from '../ssm-documents/node-folder.ts';

const script = resolve('prometheus/textfile/cgroup-medic-zombies.sh');
const folders = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-textfile-'));
afterAll(() => rmSync(folders, { recursive: true, force: true }));

const v2 = (path: string, live: number, dying: number, populated = 1): Tree => ({
  [`sys/fs/cgroup${path}/cgroup.stat`]: `nr_descendants ${live}\nnr_dying_descendants ${dying}\n`,
  ...(path === '' ? {} : { [`sys/fs/cgroup${path}/cgroup.events`]: `populated ${populated}\nfrozen 0\n` }),
});
const v2Node: Tree = {
  'sys/fs/cgroup/cgroup.controllers': 'cpu io memory pids\n',
  ...v2('', 40, 5000),
  ...v2('/user.slice', 6, 4200),
  ...v2('/user.slice/user-1000.slice', 3, 4200),
  ...v2('/user.slice/user-1000.slice/session-1.scope', 0, 0),
  ...v2('/user.slice/user-1000.slice/session-2.scope', 0, 0, 0),
  ...v2('/user.slice/user-1000.slice/session-3.scope', 0, 0, 0),
  ...v2('/system.slice', 20, 300),
  ...v2('/system.slice/run-r1.scope', 0, 0, 0),
  ...v2('/odd\\x2dname.slice', 0, 1),
  ...v2('/init.scope', 0, 0),
};

const v1 = (path: string, processes = ''): Tree => ({
  [`sys/fs/cgroup/memory${path}/cgroup.procs`]: processes,
});
const v1Node: Tree = {
  'proc/cgroups': '#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t6\t9\t1\nmemory\t2\t507\t1\n',
  ...v1('', '1\n'),
  ...v1('/user.slice'),
  ...v1('/user.slice/session-1.scope', '4711\n'),
  ...v1('/user.slice/session-2.scope'),
  ...v1('/user.slice/deep.scope'),
  ...v1('/user.slice/deep.scope/inner', '4712\n'),
  ...v1('/system.slice'),
};

function count(
  tree: Tree,
  { path = process.env.PATH, env = {} }: { path?: string; env?: NodeJS.ProcessEnv } = {},
) {
  const root = mkdtempSync(join(folders, 'node-'));
  const directory = join(root, 'textfile');
  mkdirSync(directory);
  materialise(tree, root);
  const run = (...args: string[]) =>
    spawnSync('bash', [script, directory, ...args], {
      encoding: 'utf8',
      timeout: 20_000,
      env: { PATH: path, CGROUP_MEDIC_ROOT: root, ...env },
    });
  const file = join(directory, 'cgroup-medic-zombies.prom');
  return { root, directory, file, run, series: () => seriesIn(readFileSync(file, 'utf8')) };
}

/** A folder to put first into PATH, with a command that does these lines instead of its own work. */
function stub(command: string, ...lines: string[]): string {
  const bin = mkdtempSync(join(folders, 'bin-'));
  writeFileSync(join(bin, command), ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 });
  return bin;
}

function seriesIn(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

const v2Series = [
  'cgroup_medic_dying_memory_cgroups{slice="/"} 5000',
  'cgroup_medic_dying_memory_cgroups{slice="/odd\\\\x2dname.slice"} 1',
  'cgroup_medic_dying_memory_cgroups{slice="/system.slice"} 300',
  'cgroup_medic_dying_memory_cgroups{slice="/user.slice"} 4200',
  'cgroup_medic_live_memory_cgroups{slice="/"} 40',
  'cgroup_medic_live_memory_cgroups{slice="/odd\\\\x2dname.slice"} 0',
  'cgroup_medic_live_memory_cgroups{slice="/system.slice"} 20',
  'cgroup_medic_live_memory_cgroups{slice="/user.slice"} 6',
  'cgroup_medic_unpopulated_scopes{slice="/odd\\\\x2dname.slice"} 0',
  'cgroup_medic_unpopulated_scopes{slice="/system.slice"} 1',
  'cgroup_medic_unpopulated_scopes{slice="/user.slice"} 2',
];
const v1Series = [
  'cgroup_medic_dying_memory_cgroups{slice="/"} 500',
  'cgroup_medic_live_memory_cgroups{slice="/"} 6',
  'cgroup_medic_unpopulated_scopes{slice="/system.slice"} 0',
  'cgroup_medic_unpopulated_scopes{slice="/user.slice"} 1',
];

describe('cgroup-medic-zombies.sh', () => {
  it('on cgroup v2 reads both counts from cgroup.stat, for the node and the slices at the top', () => {
    const node = count(v2Node);
    const { status, stdout, stderr } = node.run();

    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(node.series()).toEqual(v2Series);
  });

  it('on cgroup v1 takes the directories from what is registered', () => {
    const node = count(v1Node);

    expect(node.run().status).toBe(0);
    expect(node.series()).toEqual(v1Series);
  });

  it('on cgroup v1 never counts below zero, though the two are not of one moment', () => {
    const node = count({ ...v1Node, 'proc/cgroups': 'memory\t2\t3\t1\n' });

    expect(node.run().status).toBe(0);
    expect(node.series()).toContain('cgroup_medic_dying_memory_cgroups{slice="/"} 0');
  });

  it('leaves out a slice that has gone meanwhile', () => {
    const node = count({ ...v2Node, 'sys/fs/cgroup/gone.slice/': '' });

    expect(node.run().status).toBe(0);
    expect(node.series().filter((line) => line.includes('gone.slice'))).toEqual([
      'cgroup_medic_unpopulated_scopes{slice="/gone.slice"} 0',
    ]);
  });

  it('replaces the file in one move, readable by others, and leaves nothing beside it', () => {
    const node = count(v2Node);
    writeFileSync(node.file, 'old\n');
    const before = statSync(node.file).ino;

    expect(node.run().status).toBe(0);
    expect(statSync(node.file).ino).not.toBe(before);
    expect(statSync(node.file).mode & 0o777).toBe(0o644);
    expect(readdirSync(node.directory)).toEqual(['cgroup-medic-zombies.prom']);
  });

  it('leaves no half-written file where the new one cannot take the place of the old', () => {
    const node = count(v2Node, { path: `${stub('mv', 'exit 1')}:/usr/bin:/bin` });
    writeFileSync(node.file, 'old\n');

    expect(node.run().status).toBe(1);
    expect(readFileSync(node.file, 'utf8')).toBe('old\n');
    expect(readdirSync(node.directory)).toEqual(['cgroup-medic-zombies.prom']);
  });

  it.each<[string, Tree, RegExp]>([
    ['without a hierarchy', { 'sys/fs/cgroup/': '' }, /is not cgroup v2 .* is not cgroup v1/],
    [
      'without the memory controller',
      { ...v2Node, 'sys/fs/cgroup/cgroup.controllers': 'cpu pids\n' },
      /without the memory/,
    ],
    ['without the counts', { ...v2Node, 'sys/fs/cgroup/cgroup.stat': '' }, /says neither nr_descendants nor/],
    ['without a row for memory', { ...v1Node, 'proc/cgroups': 'cpu\t6\t9\t1\n' }, /has no row for memory/],
  ])('%s says so and leaves the old file to grow old', (_, tree, message) => {
    const node = count(tree);
    writeFileSync(node.file, 'old\n');
    const { status, stderr } = node.run();

    expect(status).toBe(1);
    expect(stderr).toMatch(message);
    expect(readFileSync(node.file, 'utf8')).toBe('old\n');
    expect(readdirSync(node.directory)).toEqual(['cgroup-medic-zombies.prom']);
  });

  it.each([
    ['v1', v1Node],
    ['v2', v2Node],
  ])('on cgroup %s gives up on a walk that takes too long', (_, tree) => {
    const node = count(tree, {
      path: `${stub('find', 'exec sleep 60')}:/usr/bin:/bin`,
      env: { WALK_SECONDS: '0.2' },
    });
    const { status, stderr } = node.run();

    expect(status).toBe(1);
    expect(stderr).toMatch(/walking \S+ took longer than 0\.2 s/);
    expect(existsSync(node.file)).toBe(false);
  });

  it('refuses a directory that is none, and an interval that is none', () => {
    const node = count(v2Node);

    expect(node.run('soon')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("'soon' is no number"),
    });
    rmSync(node.directory, { recursive: true });
    expect(node.run()).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('is no directory to write to'),
    });
  });

  it('with an interval counts again and again, also after it could not', () => {
    // Makes the node one that can be counted, and at the second turn ends the loop, whose shell is its parent.
    const bin = stub(
      'sleep',
      'echo "$1" >>"$CGROUP_MEDIC_ROOT/turns"',
      '[ "$(wc -l <"$CGROUP_MEDIC_ROOT/turns")" -lt 2 ] || kill $PPID',
      'printf "cpu memory\\n" >"$CGROUP_MEDIC_ROOT/sys/fs/cgroup/cgroup.controllers"',
    );
    const broken = { ...v2Node, 'sys/fs/cgroup/cgroup.controllers': 'cpu\n' };
    const node = count(broken, { path: `${bin}:/usr/bin:/bin` });
    const { signal, stderr } = node.run('300');

    expect(signal).toBe('SIGTERM');
    expect(readFileSync(join(node.root, 'turns'), 'utf8')).toBe('300\n300\n');
    expect(stderr).toMatch(/without the memory controller/);
    expect(node.series()).toEqual(v2Series);
  });

  describe.skipIf(!isV1Host)('on this host (needs root and cgroup v1)', () => {
    const onHost = (command: string, ...args: string[]) => {
      const directory = mkdtempSync(join(folders, 'host-'));
      const { status, stderr } = spawnSync(command, [...args, script, directory], { encoding: 'utf8' });
      return { status, stderr, directory };
    };

    it('counts the real hierarchy', () => {
      const { status, stderr, directory } = onHost('bash');

      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(readFileSync(join(directory, 'cgroup-medic-zombies.prom'), 'utf8')).toMatch(
        /^cgroup_medic_dying_memory_cgroups\{slice="\/"\} \d+$/m,
      );
    });

    it('refuses in a cgroup namespace, where it would see too few directories and call the rest dying', () => {
      const { status, stderr, directory } = onHost('unshare', '--cgroup', 'bash');

      expect(status).toBe(1);
      expect(stderr).toMatch(/inside a cgroup namespace/);
      expect(readdirSync(directory)).toEqual([]);
    });
  });

  describe.each(['gawk', 'mawk', 'busybox'])('with %s as awk', (awk) => {
    it.skipIf(!isInstalled(awk))('counts the same (skipped where it is not installed)', () => {
      const bin = mkdtempSync(join(folders, 'bin-'));
      const program = spawnSync('sh', ['-c', `command -v ${awk}`], { encoding: 'utf8' }).stdout.trim();
      symlinkSync(program, join(bin, 'awk'));
      const path = `${bin}:/usr/bin:/bin`;
      const [one, two] = [count(v1Node, { path }), count(v2Node, { path })];

      expect([one.run().status, two.run().status]).toEqual([0, 0]);
      expect([one.series(), two.series()]).toEqual([v1Series, v2Series]);
    });
  });

  describe.skipIf(!isInstalled('promtool'))('promtool (skipped where it is not installed)', () => {
    it.each([v1Node, v2Node])('finds its metrics well-formed (%#)', (tree) => {
      const node = count(tree);
      node.run();
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
        input: readFileSync(node.file),
        encoding: 'utf8',
      });

      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    });
  });
});
