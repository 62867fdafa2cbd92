import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startVirtualNode, type VirtualNode, VirtualNodeError } from './virtual-node.ts';

/** Enough to be a fault by the shipped thresholds, and made in some seconds under emulation. */
const leakSize = 2000;
const leakSeconds = 600;
/** Among the slices that reclaim may touch as shipped, beside the node's own services. */
const slice = '/system.slice/cgroup-medic-leak.slice';

export type LeakingVirtualNode = {
  node: VirtualNode;
  /** What is wrong with it. */
  about: string;
  /** Dying memory cgroups of the node, counted without the medic. */
  countDying(): Promise<number>;
};

/** A virtual node with a real leak in it. */
export async function startLeakingVirtualNode(options: {
  signal?: AbortSignal;
  onProgress?: (text: string) => void;
}): Promise<LeakingVirtualNode> {
  const node = await startVirtualNode(options);
  try {
    options.onProgress?.(`making ${leakSize} dying cgroups in it`);
    await node.write('/run/make-leak', readFileSync(join(import.meta.dirname, 'guest-leak.sh')), 0o755);
    const { code, stderr } = await node.run(
      ['/run/make-leak', `/sys/fs/cgroup${slice}`, '/var/tmp/leak', String(leakSize)],
      { timeoutSeconds: leakSeconds, ...(options.signal === undefined ? {} : { signal: options.signal }) },
    );
    options.signal?.throwIfAborted();
    if (code !== 0) throw new VirtualNodeError(`making a leak in the virtual node failed: ${stderr.trim()}`);
    return {
      node,
      about: `a real leak in ${slice} of a machine that is thrown away afterwards; nothing on this host is touched`,
      countDying: () => countDying(node),
    };
  } catch (error) {
    await node.close();
    throw error;
  }
}

async function countDying(node: VirtualNode): Promise<number> {
  const { stdout } = await node.run(['cat', '/sys/fs/cgroup/cgroup.stat']);
  return Number(/^nr_dying_descendants (\d+)$/m.exec(stdout)?.[1]);
}
