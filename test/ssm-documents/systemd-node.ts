import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tree } from '../../local/node/recorded-tree.ts';
import { cgroup, copyOf, type NodeFolder, nodeFolder, smallTree } from './node-folder.ts';
import { type StandIns, standIns, standInsOf } from './stand-in-systemd.ts';

/** The user.slice of a node: a user with a manager and a session. */
export const sessionsTree: Tree = {
  ...smallTree,
  'etc/passwd':
    'root:x:0:0::/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/bash\nbob:x:1001:1001::/home/bob:/bin/bash\n',
  ...sessionCgroup('/user.slice', 'cpu memory pids'),
  ...sessionCgroup('/user.slice/user-1000.slice', 'cpu memory pids'),
  ...sessionCgroup('/user.slice/user-1000.slice/user@1000.service', 'memory pids'),
  ...sessionCgroup('/user.slice/user-1000.slice/session-1.scope', ''),
};

/** cgroup v1, where a directory of a recorded node needs no files of the kernel's that rmdir would stumble over. */
export const v1Tree: Tree = {
  ...Object.fromEntries(Object.entries(smallTree).filter(([path]) => path.startsWith('proc/'))),
  'proc/uptime': '10000.00 1.00\n',
  'proc/cgroups': '#subsys_name\thierarchy\tnum_cgroups\tenabled\nmemory\t1\t1\t1\n',
  'sys/fs/cgroup/memory/memory.stat': 'total_cache 0\n',
  'sys/fs/cgroup/systemd/': '',
};

function sessionCgroup(path: string, passesOn: string): Tree {
  return {
    ...cgroup(path, { live: 1, dying: 3, cacheKb: 10 }),
    [`sys/fs/cgroup${path}/cgroup.controllers`]: 'cpu memory pids\n',
    [`sys/fs/cgroup${path}/cgroup.subtree_control`]: `${passesOn}\n`,
    [`sys/fs/cgroup${path}/memory.max`]: 'max\n',
  };
}

export type SystemdNode = NodeFolder & { systemd: StandIns; files(): Record<string, string> };

/** A node whose systemd is a stand-in. */
export function systemdNode(tree: Tree = sessionsTree): SystemdNode {
  const node = nodeFolder(tree);
  const systemd = standIns(node.root);
  systemd.unit('user.slice', {});
  systemd.unit('system.slice', {});
  systemd.unit('systemd-logind.service', { ActiveEnterTimestampMonotonic: '0' });
  systemd.unit('my-agent.service', { Slice: 'system.slice', ActiveState: 'activating', NRestarts: '17' });
  return { ...node, systemd, files: () => filesOf(node.root) };
}

/** The same node once more, as it is at this moment. */
export function copyOfSystemdNode({ root }: { root: string }): SystemdNode {
  const node = copyOf({ root });
  return { ...node, systemd: standInsOf(node.root), files: () => filesOf(node.root) };
}

/** What a treatment could change: files with their modes and content, and what systemd has loaded. */
function filesOf(root: string): Record<string, string> {
  const kept = /^(etc|units|sys\/fs\/cgroup|var\/lib\/systemd)(\/|$)/;
  return Object.fromEntries(
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((path) => kept.test(path))
      .sort()
      .map((path) => {
        const stat = lstatSync(join(root, path));
        const content = stat.isFile() ? readFileSync(join(root, path), 'utf8') : '';
        const text = path.startsWith('units/') ? content.split('\n').sort().join('\n') : content;
        return [path, `${(stat.mode & 0o7777).toString(8)} ${text}`];
      }),
  );
}
