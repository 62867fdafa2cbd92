import type { BootedNode } from './booted-node.ts';

export type Limits = Partial<Record<'cpu_quota' | 'memory_limit_in_bytes', number>>;

/** Pods and containers of a node, made by its real runtime. Who asks it is a stand-in for crictl. */
export function podsOf(node: BootedNode) {
  const words = (script: string) => node.sh(script).then((text) => text.split('\n').filter(Boolean).sort());
  /** Containers of a kind, as containerd's own tool lists them: not through the CRI. */
  const listed = (kind: 'container' | 'sandbox') =>
    words(`ctr -n k8s.io containers ls -q 'labels."io.cri-containerd.kind"==${kind}'`);
  const tasks = () => words(`ctr -n k8s.io tasks ls | awk '$3 == "RUNNING" { print $1 }'`);
  return {
    start: () => node.sh('systemctl start containerd'),
    uid: (digit: string) => `${digit.repeat(8)}-2222-3333-4444-555555555555`,
    /** The cgroup of a pod, as the kubelet would call it. */
    slice: (uid: string) =>
      `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${uid.replaceAll('-', '_')}.slice`,
    scope: (id: string) => `cri-containerd-${id}.scope`,
    run: (name: string, uid: string) => node.sh(`pod run shop ${name} ${uid}`),
    add: (sandbox: string, name: string, attempt: number, script: string, limits: Limits = {}) =>
      node.sh(
        `pod add ${sandbox} ${name} ${attempt} '${script}' ${Object.entries(limits)
          .map(([key, value]) => `${key}=${value}`)
          .join(' ')}`,
      ),
    crictl: (command: string) => node.sh(`crictl --timeout 120s ${command}`),
    /** What there is, without asking the CRI. */
    async seen() {
      const [containers, sandboxes, running] = await Promise.all([
        listed('container'),
        listed('sandbox'),
        tasks(),
      ]);
      const runs = (id: string) => running.includes(id);
      return {
        containers,
        sandboxes,
        running: containers.filter(runs),
        exited: containers.filter((id) => !runs(id)),
        ready: sandboxes.filter(runs),
        notReady: sandboxes.filter((id) => !runs(id)),
      };
    },
    /** When containerd made it, in seconds since 1970. */
    madeAt: (id: string) =>
      node.number(`date -d "$(ctr -n k8s.io containers info ${id} | jq -r .CreatedAt)" +%s`),
  };
}
