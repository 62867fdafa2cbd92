import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { VariantName } from './variants.ts';
import type { VirtualNode } from './virtual-node.ts';

const leakScript = readFileSync(join(import.meta.dirname, 'guest-leak.sh'));

export type NodeTools = ReturnType<typeof nodeTools>;

/** Gives a node the script that `leak` needs. */
export async function installTools(node: VirtualNode): Promise<void> {
  await node.write('/usr/local/bin/make-leak', leakScript, 0o755);
}

/** What is done to a virtual node and read from it, without any document of ours. */
export function nodeTools(variant: VariantName, node: () => VirtualNode) {
  const mount = variant === 'v1' ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup';
  /** A shell script that must not fail; returns what it printed. */
  const sh = async (script: string, timeoutSeconds = 300): Promise<string> => {
    const { code, stdout, stderr } = await node().run(['bash', '-c', `set -e\n${script}`], {
      timeoutSeconds,
    });
    if (code !== 0) throw new Error(`exit code ${code} of:\n${script}\n${stderr}`);
    return stdout.trim();
  };
  const number = async (script: string): Promise<number> => Number(await sh(script));
  return {
    mount,
    sh,
    number,
    /** Dying cgroups, below one cgroup on v2 or of the whole node, without any script of ours. */
    dying: (path = ''): Promise<number> =>
      variant === 'v1'
        ? number(
            `echo $(($(awk '$1 == "memory" { print $3 }' /proc/cgroups) - $(find ${mount} -type d | wc -l)))`,
          )
        : number(`awk '$1 == "nr_dying_descendants" { print $2 }' ${mount}${path}/cgroup.stat`),
    /** Bytes of page cache charged to a cgroup. */
    cacheOf: (path: string): Promise<number> =>
      number(
        `awk '$1 == "${variant === 'v1' ? 'total_cache' : 'file'}" { print $2 }' ${mount}${path}/memory.stat`,
      ),
    leak: (path: string, count: number) =>
      sh(`make-leak ${mount}${path} /var/tmp/leak${path.replaceAll('/', '-')} ${count}`),
    /** A service that lives in a slice and has read `megabytes` of a file of its own. */
    async hotService(name: string, slice: string, megabytes: number): Promise<string> {
      await sh(`
        # Past the page cache: it belongs to whoever reads it first.
        dd if=/dev/zero of=/var/tmp/${name} bs=1M count=${megabytes} oflag=direct status=none
        systemd-run --quiet --unit=${name} --slice=${slice} bash -c 'cat /var/tmp/${name} >/dev/null; touch /run/${name}; exec sleep infinity'
        until [[ -e /run/${name} ]]; do sleep 0.2; done
        # Once more: it is hot.
        cat /var/tmp/${name} >/dev/null`);
      return sh(`systemctl show -P ControlGroup ${name}.service`);
    },
  };
}
