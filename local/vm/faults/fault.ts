import type { ClusterInput } from '../../local-settings.ts';
import { type VirtualNode, VirtualNodeError } from '../virtual-node.ts';

/** Something that can be wrong with a virtual node, made for real in it. */
export type Fault = {
  /** What is wrong, for people. */
  about: string;
  /** Settings of the cluster over those of a local run: an emulated machine makes in a minute what another makes in a day. */
  cluster?: ClusterInput;
  /** Makes it in a node that has nothing wrong with it. What makes more of it keeps running until `end`. */
  make(node: VirtualNode, signal?: AbortSignal): Promise<void>;
  /** What the medic should take away, counted without it. */
  symptom: Symptom;
  /** Ends what keeps running, and removes what was put into the node for it. What it has left behind stays. */
  end(node: VirtualNode): Promise<void>;
};

export type Symptom = {
  /** What is counted, as in "3 dying memory cgroups". */
  what: string;
  count(node: VirtualNode): Promise<number>;
};

/** Long enough on a busy host; a node that cannot do it in this time is broken. */
const makeSeconds = 900;

/** Runs a shell script in the node, which must not fail. Returns what it printed. */
export async function shell(node: VirtualNode, script: string, signal?: AbortSignal): Promise<string> {
  const { code, stdout, stderr } = await node.run(['bash', '-c', `set -o errexit\n${script}`], {
    timeoutSeconds: makeSeconds,
    ...(signal === undefined ? {} : { signal }),
  });
  signal?.throwIfAborted();
  if (code !== 0)
    throw new VirtualNodeError(
      `making a fault in the virtual node failed (exit code ${code}): ${stderr.trim()}`,
    );
  return stdout.trim();
}

/** Dying memory cgroups of the whole node, or below one cgroup. */
export function dyingBelow(path = ''): Symptom {
  return {
    what: 'dying memory cgroups',
    count: async (node) =>
      Number(
        await shell(
          node,
          `awk '$1 == "nr_dying_descendants" { print $2 }' /sys/fs/cgroup${path}/cgroup.stat`,
        ),
      ),
  };
}

/** Shell that waits until there are so many dying cgroups below a cgroup. */
export function untilDying(path: string, count: number): string {
  return `until (($(awk '$1 == "nr_dying_descendants" { print $2 }' /sys/fs/cgroup${path}/cgroup.stat) >= ${count})); do sleep 0.5; done`;
}
