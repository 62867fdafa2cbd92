import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KernelModel } from '../../local/node/kernel-model.ts';
import { materialise, type Tree } from '../../local/node/recorded-tree.ts';
import { type DocumentResult, runDocument } from '../../local/node/ssm-agent.ts';
import { loadDocument } from '../../ssm-documents/load.ts';

export const isRoot = process.getuid?.() === 0;
export const v1Mount = '/sys/fs/cgroup/memory';
export const isV1Host = isRoot && existsSync(join(v1Mount, 'memory.force_empty'));

export function isInstalled(command: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A small cgroup v2 node: one slice with dying cgroups, beside them and inside one of its living children. */
export const smallTree: Tree = {
  'etc/os-release': 'PRETTY_NAME="Small Linux"\n',
  'proc/sys/kernel/osrelease': '6.1.0\n',
  'proc/sys/kernel/random/boot_id': '00000000-0000-4000-8000-000000000001\n',
  'proc/sys/vm/drop_caches': '0\n',
  'proc/uptime': '1000.00 1900.00\n',
  'proc/cpuinfo': 'processor\t: 0\nprocessor\t: 1\n',
  'proc/meminfo':
    'MemTotal: 2000000 kB\nMemFree: 1000000 kB\nMemAvailable: 1500000 kB\nCached: 300000 kB\nDirty: 0 kB\nShmem: 0 kB\nSlab: 50000 kB\nSReclaimable: 20000 kB\nSUnreclaim: 30000 kB\nPercpu: 4000 kB\n',
  'proc/vmstat':
    'pgmajfault 1\nallocstall_normal 2\npgsteal_kswapd 3\npgsteal_direct 4\npgscan_kswapd 5\npgscan_direct 6\n',
  'proc/pressure/memory': stalls('0.00'),
  'proc/pressure/io': stalls('0.00'),
  'proc/pressure/cpu': stalls('0.00'),
  'sys/fs/cgroup/cgroup.controllers': 'cpu io memory pids\n',
  ...cgroup('', { live: 6, dying: 900, cacheKb: 300_000 }),
  ...cgroup('/a.slice', { live: 4, dying: 900, cacheKb: 23_600 }),
  ...cgroup('/a.slice/plain', { live: 0, dying: 0, cacheKb: 10_000 }),
  ...cgroup('/a.slice/guarded', { live: 0, dying: 0, cacheKb: 4_000, low: '1048576' }),
  ...cgroup('/a.slice/pod', { live: 1, dying: 300, cacheKb: 6_200 }),
  ...cgroup('/a.slice/pod/container', { live: 0, dying: 0, cacheKb: 5_000, low: '65536' }),
  ...cgroup('/b.slice', { live: 0, dying: 0, cacheKb: 50_000 }),
};

function stalls(avg10: string): string {
  return ['some', 'full'].map((kind) => `${kind} avg10=${avg10} avg60=0.00 avg300=0.00 total=0\n`).join('');
}

export const stalled = stalls('45.00');

export function cgroup(
  path: string,
  { live, dying, cacheKb, low = '0' }: { live: number; dying: number; cacheKb: number; low?: string },
): Tree {
  const base = `sys/fs/cgroup${path}`;
  return {
    [`${base}/cgroup.stat`]: `nr_descendants ${live}\nnr_dying_descendants ${dying}\n`,
    [`${base}/memory.stat`]: `file ${cacheKb * 1024}\nshmem 0\nfile_mapped 0\nfile_dirty 0\ninactive_file ${cacheKb * 1024}\nunevictable 0\n`,
    ...(path === ''
      ? {}
      : {
          [`${base}/memory.current`]: `${cacheKb * 1024}\n`,
          [`${base}/memory.low`]: `${low}\n`,
          [`${base}/memory.reclaim`]: '',
        }),
  };
}

export type NodeFolder = {
  root: string;
  run(
    name: string,
    parameters: Record<string, string>,
    env?: Record<string, string>,
  ): Promise<DocumentResult>;
  read(path: string): string;
  write(path: string, content: string): void;
  /** Every memory.low of the node. */
  lows(): Record<string, string>;
  close(): void;
};

/** Lays a tree out as a node; reclaim cures it through the kernel model. */
export function nodeFolder(tree: Tree, { kbEach = 4 }: { kbEach?: number } = {}): NodeFolder {
  const root = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-'));
  const knobs = materialise(tree, root);
  const model = new KernelModel({
    root,
    knobs,
    hierarchy: existsSync(join(root, 'sys/fs/cgroup/cgroup.controllers')) ? 'v2' : 'v1',
    response: 'cures',
    holders: [
      { slice: '/a.slice', dying: 600, kbEach },
      { slice: '/a.slice/pod', dying: 300, kbEach },
    ].filter(({ slice }) => existsSync(join(root, 'sys/fs/cgroup', slice))),
    growsPerSecond: 0,
  });
  return nodeAt(root, () => model.close());
}

/** A node as another one is at this moment, without a kernel model behind its knobs. */
export function copyOf(node: { root: string }): NodeFolder {
  const root = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-'));
  execFileSync('cp', ['-a', `${node.root}/.`, root]);
  return nodeAt(root);
}

function nodeAt(root: string, end: () => void = () => {}): NodeFolder {
  const read = (path: string) => readFileSync(join(root, path), 'utf8');
  return {
    root,
    run: (name, parameters, env = {}) =>
      runDocument({ content: loadDocument(name).content, parameters, root, env }),
    read,
    write: (path, content) => writeFileSync(join(root, path), content),
    lows: () =>
      Object.fromEntries(
        readdirSync(join(root, 'sys/fs/cgroup'), { recursive: true, encoding: 'utf8' })
          .filter((path) => path.endsWith('memory.low'))
          .sort()
          .map((path) => [path, read(join('sys/fs/cgroup', path)).trim()]),
      ),
    close: () => {
      end();
      rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}

export const reclaimParameters = {
  slices: '/a.slice',
  cpuPercent: '50',
  // Far more than a run needs, also on a loaded machine.
  maxSeconds: '120',
  psiFullLimit: '20',
  ioFullLimit: '20',
  incident: 'test-1',
  fencing: '1',
};

// biome-ignore lint/suspicious/noExplicitAny: tests look into output whose shape is what they are about
export function json(result: Pick<DocumentResult, 'stdout'> & Partial<DocumentResult>): any {
  if (result.stdout === '') throw new Error(`it printed nothing (${result.responseCode}): ${result.stderr}`);
  return JSON.parse(result.stdout);
}
