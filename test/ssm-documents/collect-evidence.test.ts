import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { readEvidence } from '../../lambdas/domain/evidence/read-evidence.ts';
import { recordedTree } from '../../local/node/recorded-node.ts';
import { materialise, type Tree } from '../../local/node/recorded-tree.ts';
import { runDocument } from '../../local/node/ssm-agent.ts';
import { loadDocument } from '../../ssm-documents/load.ts';
import { cgroup, isInstalled, json, smallTree } from './node-folder.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(tree: Tree): string {
  const root = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-'));
  folders.push(root);
  materialise(tree, root);
  return root;
}

/** A PATH whose awk is this one. */
function pathWith(awk: string): string {
  const bin = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-bin-'));
  folders.push(bin);
  const which = (command: string) =>
    execFileSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).trim();
  if (awk === 'busybox') symlinkSync(which('busybox'), join(bin, 'awk'));
  else symlinkSync(which(awk), join(bin, 'awk'));
  return `${bin}:/usr/bin:/bin`;
}

async function collect(
  tree: Tree,
  parameters: Record<string, string> = {},
  env: Record<string, string> = {},
) {
  const result = await runDocument({
    content: loadDocument('collect-evidence').content,
    parameters: { windowSeconds: '0', ...parameters },
    root: folder(tree),
    env,
  });
  expect(result.status).toBe('Success');
  expect(result.stdout.length).toBeLessThanOrEqual(20_000);
  expect(readEvidence(result.stdout)).toMatchObject({ ok: true });
  return json(result);
}

describe('collect-evidence on cgroup v2', () => {
  it('reports every probe of a whole node', async () => {
    const { probes } = await collect(smallTree, { windowSeconds: '1' });

    expect(probes.host.value).toEqual({
      kernel: '6.1.0',
      os: 'Small Linux',
      bootId: '00000000-0000-4000-8000-000000000001',
      uptimeSeconds: 1000,
      cpus: 2,
      systemdVersion: null,
      instanceId: null,
    });
    expect(probes.hierarchy.value).toEqual({ memory: 'v2', layout: 'unified', mount: '/sys/fs/cgroup' });
    expect(probes.cgroups.value).toEqual({ live: 6, dying: 900, source: 'cgroup.stat' });
    expect(probes.memory.value).toMatchObject({
      totalKb: 2_000_000,
      percpuKb: 4000,
      slabUnreclaimableKb: 30_000,
    });
    expect(probes.pressure.value.memory.full).toEqual({ avg10: 0, avg60: 0, avg300: 0, totalUs: 0 });
    expect(probes.reclaim.value).toMatchObject({ pgscanDirect: 0, allocstall: 0, pgmajfault: 0 });
    expect(probes.reclaim.value.windowMs).toBeGreaterThanOrEqual(1000);
  });

  it('counts what the kernel reclaims meanwhile, the stalls of all zones together', async () => {
    const vmstat = (n: number) =>
      `${smallTree['proc/vmstat']}allocstall_dma ${n}\nallocstall_movable ${n}\n`
        .replace('pgscan_direct 6', `pgscan_direct ${6 + n}`)
        .replace('pgmajfault 1', `pgmajfault ${1 + n}`);
    const root = folder({ ...smallTree, 'proc/vmstat': vmstat(0) });
    const running = runDocument({
      content: loadDocument('collect-evidence').content,
      parameters: { windowSeconds: '2' },
      root,
    });
    // In the same ratio for as long as somebody looks: when the window begins is up to the node.
    let n = 0;
    const timer = setInterval(() => {
      n += 1;
      writeFileSync(join(root, 'next'), vmstat(n));
      renameSync(join(root, 'next'), join(root, 'proc/vmstat'));
    }, 100);
    const { value } = json(await running.finally(() => clearInterval(timer))).probes.reclaim;

    expect(value.pgscanDirect).toBeGreaterThan(5);
    expect(value.pgscanDirect).toBeLessThanOrEqual(n);
    expect(value).toMatchObject({
      pgscanKswapd: 0,
      pgstealDirect: 0,
      allocstall: 2 * value.pgscanDirect,
      pgmajfault: value.pgscanDirect,
    });
  });

  it('says which slice holds the dying, and what page cache is nobody’s', async () => {
    const { probes } = await collect(smallTree);
    const of = (path: string) =>
      probes.slices.value.entries.find((entry: { path: string }) => entry.path === path);

    expect(probes.slices.value.entries[0]).toEqual({
      path: '/a.slice',
      live: 4,
      dying: 900,
      ghostKb: 3400,
      cachedKb: 23_600,
    });
    expect(of('/a.slice/pod')).toEqual({
      path: '/a.slice/pod',
      live: 1,
      dying: 300,
      ghostKb: 1200,
      cachedKb: 6200,
    });
    expect(of('/b.slice')).toMatchObject({ dying: 0, ghostKb: 0, cachedKb: 50_000 });
    // Nothing dying above or in it: not worth a read, and an unread number is not a zero.
    expect(of('/a.slice/pod/container')).toMatchObject({ dying: 0, ghostKb: 0, cachedKb: 5000 });
  });

  it('stays at the top level in the quick profile', async () => {
    const { probes } = await collect(smallTree, { profile: 'quick' });

    // What the dying hold is told by the children, which a census does not look at.
    expect(probes.slices.value).toEqual({
      entries: [
        { path: '/a.slice', live: 4, dying: 900, ghostKb: null, cachedKb: 23_600 },
        { path: '/b.slice', live: 0, dying: 0, ghostKb: 0, cachedKb: 50_000 },
      ],
      omitted: 0,
      unread: 0,
    });
  });
});

describe('collect-evidence on cgroup v1', () => {
  it('counts by the difference and finds the slices by their ghost bytes', async () => {
    const tree = recordedTree('v1-zombies');
    const { probes } = await collect(tree);

    expect(probes.hierarchy.value).toMatchObject({ memory: 'v1', mount: '/sys/fs/cgroup/memory' });
    expect(probes.cgroups.value).toEqual({ live: 36, dying: 5800, source: 'proc-cgroups' });
    expect(probes.slices.value.entries.slice(0, 2)).toMatchObject([
      { path: '/user.slice', dying: null, ghostKb: 20_000 },
      { path: '/system.slice', dying: null, ghostKb: 3200 },
    ]);
  });

  it('never counts below zero', async () => {
    const tree = { ...recordedTree('v1-zombies'), 'proc/cgroups': 'memory\t2\t3\t1\n' };
    const { probes } = await collect(tree);

    expect(probes.cgroups.value.dying).toBe(0);
  });
});

describe('what is not there', () => {
  const without = (...paths: string[]): Tree =>
    Object.fromEntries(
      Object.entries(smallTree).filter(([path]) => !paths.some((gone) => path.startsWith(gone))),
    );

  it.each([
    ['proc/pressure', 'pressure', 'missing', '/proc/pressure/memory'],
    ['proc/meminfo', 'memory', 'missing', '/proc/meminfo'],
    ['proc/sys/kernel/osrelease', 'host', 'failed', 'osrelease'],
    ['sys/fs/cgroup', 'hierarchy', 'missing', 'no memory hierarchy'],
    ['sys/fs/cgroup', 'cgroups', 'missing', 'no memory hierarchy'],
    ['sys/fs/cgroup/cgroup.stat', 'cgroups', 'failed', 'nr_dying_descendants'],
    ['sys/fs/cgroup/cgroup.stat', 'slices', 'failed', 'nr_dying_descendants'],
  ])('without %s the probe %s is %s and says so', async (path, probe, status, reason) => {
    const { probes } = await collect(without(path));

    expect(probes[probe]).toEqual({ status, reason: expect.stringContaining(reason) });
  });

  it.each([
    ['proc/meminfo', 'MemTotal: 1 kB\n', 'memory', 'no MemAvailable'],
    ['proc/pressure/memory', '', 'pressure', 'PSI is off'],
    ['proc/vmstat', 'pgmajfault 1\n', 'reclaim', 'no pgscan_direct'],
    ['proc/uptime', 'x\n', 'host', '/proc/uptime'],
    ['sys/fs/cgroup/cgroup.controllers', 'cpu io\n', 'hierarchy', 'without the memory controller'],
  ])('with %s as %j the probe %s is a gap with the reason', async (path, content, probe, reason) => {
    const { probes } = await collect({ ...smallTree, [path]: content }, { windowSeconds: '1' });

    expect(probes[probe]).toEqual({
      status: expect.stringMatching(/missing|failed/),
      reason: expect.stringContaining(reason),
    });
  });

  it('names the window that was not asked for', async () => {
    const { probes } = await collect(smallTree);

    expect(probes.reclaim).toEqual({ status: 'missing', reason: 'not asked for' });
  });
});

const names = [
  'quo"te',
  'back\\slash',
  'tab\there',
  'bell\u0007',
  'ünïcödé',
  '🐧',
  'new\nline',
  '-n',
  '$(id)',
  '*',
  ' lead',
  "'",
];

describe.each(['gawk', 'mawk', 'busybox'])('with %s as awk', (awk) => {
  describe.skipIf(!isInstalled(awk))('(skipped where it is not installed)', () => {
    it.each(['v1-zombies', 'v2-zombies'])('finds the same on %s', async (name) => {
      const expected = await collect(recordedTree(name), { windowSeconds: '1' });
      const { probes } = await collect(recordedTree(name), { windowSeconds: '1' }, { PATH: pathWith(awk) });

      // These say how long they really watched.
      const timed = { reclaim: 0, churn: 0, throttling: 0, load: 0 };
      expect({ ...probes, ...timed }).toEqual({ ...expected.probes, ...timed });
      expect(probes).toMatchObject({ reclaim: { status: 'ok' }, churn: { status: 'ok' } });
    });

    it('prints valid JSON whatever cgroups are called', async () => {
      const tree = Object.assign(
        {},
        smallTree,
        ...names.map((name) => cgroup(`/${name}`, { live: 0, dying: 5, cacheKb: 4 })),
      );
      const { probes } = await collect(tree, {}, { PATH: pathWith(awk) });
      const paths = probes.slices.value.entries.map(({ path }: { path: string }) => path);

      for (const name of names.filter((name) => !name.includes('\n'))) expect(paths).toContain(`/${name}`);
    });

    it('replaces bytes that are not UTF-8', async () => {
      const root = folder(smallTree);
      const name = Buffer.concat([
        Buffer.from(join(root, 'sys/fs/cgroup/bad-')),
        Buffer.from([0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80]),
      ]);
      mkdirSync(name);
      copyFileSync(
        join(root, 'sys/fs/cgroup/a.slice/cgroup.stat'),
        Buffer.concat([name, Buffer.from('/cgroup.stat')]),
      );
      const result = await runDocument({
        content: loadDocument('collect-evidence').content,
        parameters: { windowSeconds: '0' },
        root,
        env: { PATH: pathWith(awk) },
      });

      const paths = json(result).probes.slices.value.entries.map(({ path }: { path: string }) => path);
      expect(paths).toContain('/bad-\ufffd\ufffd(\ufffd\ufffd\ufffd');
      // The text above was decoded on its way; the node itself must not print a byte that is not UTF-8.
      const script = join(root, 'script.sh');
      const { mainSteps } = loadDocument('collect-evidence').content;
      writeFileSync(script, mainSteps.flatMap((step) => step.inputs.runCommand).join('\n'));
      const env = {
        PATH: pathWith(awk),
        CGROUP_MEDIC_ROOT: root,
        SSM_profile: 'full',
        SSM_windowSeconds: '0',
      };
      const { stdout } = spawnSync('bash', [script], { env });
      expect(new TextDecoder('utf-8', { fatal: true }).decode(stdout)).toContain('/bad-');
    });
  });
});

describe('a node of any size', () => {
  it('prints at most 40 slices and 20,000 characters, and says what it left out', async () => {
    // Twice as long in JSON.
    const long = '"'.repeat(240);
    const tree = Object.assign(
      {},
      smallTree,
      ...Array.from({ length: 500 }, (_, n) => cgroup(`/${long}-${n}`, { live: 0, dying: n, cacheKb: n })),
    );
    const { probes } = await collect(tree);

    const { entries, omitted } = probes.slices.value;
    expect(entries.length).toBeGreaterThan(20);
    expect(entries.length).toBeLessThanOrEqual(40);
    expect(entries.length + omitted).toBeGreaterThan(500);
  });

  it('does not guess the ghost bytes of a slice with too many children', async () => {
    const tree = Object.assign(
      {},
      smallTree,
      cgroup('/big.slice', { live: 300, dying: 1000, cacheKb: 100_000 }),
      ...Array.from({ length: 300 }, (_, n) =>
        cgroup(`/big.slice/c${n}`, { live: 0, dying: 0, cacheKb: 100 }),
      ),
    );
    const { entries, unread } = (await collect(tree)).probes.slices.value;

    expect(entries[0]).toMatchObject({ path: '/big.slice', dying: 1000, ghostKb: null, cachedKb: 100_000 });
    expect(unread).toBeGreaterThanOrEqual(1);
  });

  it('names no slice that it has not looked into', async () => {
    const tree = Object.assign(
      {},
      smallTree,
      ...Array.from({ length: 250 }, (_, n) => cgroup(`/s${n}`, { live: 0, dying: 5, cacheKb: 4 })),
    );
    const { entries, omitted, unread } = (await collect(tree)).probes.slices.value;

    expect(entries).toHaveLength(40);
    expect(omitted).toBeGreaterThanOrEqual(210);
    expect(unread).toBeLessThan(5);
  });

  it('does without find', { timeout: 30_000 }, async () => {
    const bin = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-bin-'));
    folders.push(bin);
    for (const command of [
      'bash',
      'env',
      'sh',
      'awk',
      'date',
      'stat',
      'timeout',
      'sleep',
      'nproc',
      'readlink',
    ]) {
      symlinkSync(
        execFileSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).trim(),
        join(bin, command),
      );
    }
    // The prelude adds the system's folders to PATH; here they must stay out.
    const content = structuredClone(loadDocument('collect-evidence').content);
    const [step] = content.mainSteps;
    if (step)
      step.inputs.runCommand = step.inputs.runCommand.map((text) => text.replace(/^export PATH=.*$/m, ':'));
    const parameters = { windowSeconds: '0' };
    const withFind = await collect(recordedTree('v1-zombies'));
    const result = await runDocument({
      content,
      parameters,
      root: folder(recordedTree('v1-zombies')),
      env: { PATH: bin },
    });

    expect(result.stderr).toContain('could not lower the IO priority');
    expect(json(result).probes.cgroups).toEqual(withFind.probes.cgroups);
    expect(json(result).probes.slices).toEqual(withFind.probes.slices);
  });

  it('prints no environment and no command lines', async () => {
    const { probes } = await collect(smallTree, {}, { AWS_SECRET_ACCESS_KEY: 'do-not-print' });

    expect(JSON.stringify(probes)).not.toContain('do-not-print');
  });
});
