import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { checkVirtualNode } from '../../local/vm/check-virtual-node.ts';
import { type VariantName, variants } from '../../local/vm/variants.ts';
import { startVirtualNode, type VirtualNode } from '../../local/vm/virtual-node.ts';
import { loadDocument } from '../../ssm-documents/load.ts';

const leakScript = readFileSync(join(import.meta.dirname, '../../local/vm/guest-leak.sh'));

/** A node that is booted once for all tests of a file. */
export type BootedNode = ReturnType<typeof toolsOf>;

/** Tests in a virtual node, named after it; skipped where there can be none. */
export function describeNode(variant: VariantName, tests: (node: BootedNode) => void): void {
  const check = checkVirtualNode();
  const why = check.possible ? '' : ` (needs ${check.missing})`;
  describe.skipIf(!check.possible)(`in a virtual node: ${variants[variant].title}${why}`, () => {
    let booted: VirtualNode | undefined;
    beforeAll(async () => {
      booted = await startVirtualNode({
        variant,
        onProgress: (text) => process.stderr.write(`${variant}: ${text}\n`),
      });
      await booted.write('/usr/local/bin/make-leak', leakScript, 0o755);
    });
    afterAll(() => booted?.close());
    tests(
      toolsOf(variant, () => {
        if (booted === undefined) throw new Error('the virtual node did not boot');
        return booted;
      }),
    );
  });
}

function toolsOf(variant: VariantName, node: () => VirtualNode) {
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
  let fencing = 0;
  return {
    variant,
    mount,
    /** What every treatment is told of its incident; the node refuses a fencing number that is older than the last. */
    incident: (name: string) => ({ incident: name, fencing: String(++fencing) }),
    get node() {
      return node();
    },
    sh,
    number,
    /** Runs an SSM document as the agent would. */
    document: (name: string, parameters: Record<string, string>) =>
      node().runDocument({ content: loadDocument(name).content, parameters }),
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
    /** Every protection of the node. */
    protections: () => sh(`cd ${mount} && find . -name memory.low -exec grep -H . {} + | sort`),
    useAwk: (awk: 'mawk' | 'gawk') => sh(`update-alternatives --set awk /usr/bin/${awk} >/dev/null`),
  };
}

/** What a document printed, which must be one JSON object. */
// biome-ignore lint/suspicious/noExplicitAny: the tests look into it by name
export function json(result: { stdout: string; stderr: string; status: string }): any {
  if (result.status !== 'Success') throw new Error(`${result.status}: ${result.stderr}`);
  return JSON.parse(result.stdout);
}
