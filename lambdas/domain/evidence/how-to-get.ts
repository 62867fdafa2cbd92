import type { ProbeName } from './evidence.ts';

const document =
  'run the document collect-evidence on the node with profile full and a window of 1 to 5 s; if it fails there, read /proc and /sys/fs/cgroup over Session Manager';
const services =
  'run the document collect-services on the node; if it fails there, ask systemctl, loginctl, crictl and journalctl over Session Manager';
const apiServer =
  'let the cluster settings ask the API server, or read kubectl describe node, and kubectl get pods with the node as field selector spec.nodeName';
const kubeletMetrics =
  'read https://NODE:10250/metrics with the right nodes/metrics (never nodes/proxy), or Container Insights or Managed Prometheus where they scrape it';
const trend =
  'publish metrics of the node to CloudWatch, or look again when the node has kept samples of at least an hour';
const console = 'aws ec2 get-console-output --latest --instance-id of this node';
const byHand = 'whoever looked by hand can add it to the evidence as observations';

/** Where the answer to each probe comes from, as something that a person can do. */
const ways = {
  host: document,
  hierarchy: document,
  cgroups: document,
  slices: document,
  memory: document,
  pressure: document,
  reclaim: document,
  history: trend,
  kmem: document,
  unpopulated: document,
  mkdirProbe: document,
  workloads: document,
  throttling: document,
  load: document,
  churn: document,
  kubelet: services,
  containers: services,
  sessions: services,
  timers: services,
  agents: services,
  oomKills: services,
  journal: services,
  nodeStatus: apiServer,
  podStatus: apiServer,
  nodeEvents: apiServer,
  kubeletMetrics,
  trend,
  console,
  observations: byHand,
} as const satisfies Record<ProbeName, string>;

/** How to get a probe, or a part of one, named as in `kubelet.config`. */
export function howToGet(need: string): string {
  const [probe = ''] = need.split('.');
  return isProbe(probe) ? ways[probe] : document;
}

function isProbe(name: string): name is ProbeName {
  return Object.hasOwn(ways, name);
}
