import * as z from 'zod';

/**
 * Every threshold of the diagnosis, with where its number comes from: the only place where they live. Each is a setting
 * of a cluster; its description is the source that the findings name.
 */
export const Thresholds = z.strictObject({
  dyingCount: whole(2000, 50, 1_000_000).describe(
    'Dying memory cgroups on one node that are a fault by number alone. A fresh node has a few dozen at most; each costs about 18 KiB with 2 CPUs (docs/performance.md), and every walk of the tree visits them all. Between dyingFloor and this a node is neither healthy nor at fault: inconclusive.',
  ),
  dyingMemoryPercent: real(2, 0.1, 50).describe(
    'Percent of the node’s memory that dying cgroups may cost before they are a fault, however few.',
  ),
  dyingFloor: whole(300, 0, 100_000).describe(
    'Dying cgroups up to which a node counts as healthy: what a fresh boot has, with room for the few hundred that hold dirty or metadata pages, which no reclaim frees at once.',
  ),
  dyingPerHour: real(60, 0, 100_000).describe(
    'Growth, in dying cgroups per hour, that verification calls healthy: ten in a window of ten minutes, the least that can be told from noise there.',
  ),
  dyingPerDay: real(1000, 1, 1_000_000).describe(
    'Growth of dying cgroups over hours, in cgroups per day, that is a leak whatever the level: half of dyingCount within a day.',
  ),
  liveCgroups: whole(10_000, 100, 1_000_000).describe(
    'Memory cgroup directories on one node that are too many: a node with 110 pods has fewer than 1,000, and kubelet and cadvisor walk them all every few seconds.',
  ),
  leakedScopes: whole(50, 1, 100_000).describe(
    'Scope and session directories without a process, or sessions and scopes that are stuck, that are a fault. A healthy node has none for longer than a moment.',
  ),
  directReclaimPercent: real(15, 1, 100).describe(
    'Percent of all CPU time spent in direct reclaim that is pressure: workloads then pay for memory with their own CPU.',
  ),
  memoryStallPercent: real(5, 0.1, 100).describe(
    'Percent of time in which every task waits for memory (PSI full, avg60) that is pressure. A node that is well shows less than 1.',
  ),
  kswapdPercent: real(50, 1, 100).describe(
    'Percent of one CPU that kswapd takes from which it does little else: on a node with memory to spare it sleeps.',
  ),
  allocstallsPerSecond: real(5, 0, 100_000).describe(
    'Times a second that a task has to reclaim for itself, up to which a node counts as healthy: now and then one does on any busy node.',
  ),
  majorFaultsPerSecond: real(500, 1, 1_000_000).describe(
    'Major page faults a second from which a node reads back what it has just dropped. A sign beside others: starting a container makes some as well.',
  ),
  throttledRatio: real(0.25, 0.01, 1).describe(
    'Share of a cgroup’s own CFS periods in which it was throttled: a quarter, as in the alert CPUThrottlingHigh of kubernetes-mixin.',
  ),
  availablePercent: real(5, 0.5, 50).describe(
    'Percent of memory available below which a node is near eviction, where the hard eviction threshold was not read (100 MiB on EKS).',
  ),
  evictionHeadroom: real(2, 1, 20).describe(
    'The warning before the kubelet’s hard eviction threshold, as a multiple of it.',
  ),
  exitedContainers: whole(500, 10, 1_000_000).describe(
    'Exited containers on one node that are too many by number: the kubelet keeps one for each container, and one answer of the runtime with some thousands of them passes the 16 MiB limit of gRPC.',
  ),
  exitedPerRunning: real(10, 1, 1000).describe(
    'Exited containers for each running one that are too many, from 50 exited on.',
  ),
  kubeletMbPerDay: real(100, 1, 100_000).describe(
    'Growth of the kubelet’s resident memory, in MB a day with a stable number of pods, that is a leak. The slope counts, not the level.',
  ),
  kubeletMb: real(2048, 256, 100_000).describe(
    'Resident memory of the kubelet, in MB, that no number of pods explains: EKS reserves 255 MiB and 11 MiB for each pod for all of Kubernetes on a node, 1,465 MiB with 110 pods. A sign beside others; alone it is no diagnosis.',
  ),
  goroutines: whole(500, 100, 1_000_000).describe(
    'Goroutines of the kubelet from which their number is a sign: a kubelet with 110 pods has a few hundred, and they do not grow.',
  ),
  plegRelistSeconds: real(10, 1, 600).describe(
    'Relist of the pod lifecycle event generator, 99th percentile in seconds, that is too slow. At 180 s the node is NotReady.',
  ),
  agentMb: real(1024, 64, 1_000_000).describe(
    'Memory of one host agent, in MB, that no agent needs. EKS reserves less than that for all of them on most nodes.',
  ),
  agentMbPerDay: real(100, 1, 100_000).describe(
    'Growth of the memory of one host agent, in MB a day, that is a leak where it holds more than agentMb already: as much as for the kubelet, which has more to do.',
  ),
  limitsPercent: real(150, 100, 10_000).describe(
    'Memory limits of the pods as percent of what is allocatable: from here on they can together use far more than the node has.',
  ),
  requestsPercent: real(95, 50, 100).describe(
    'Requested memory, or pods, as percent of what the node can give from which it is full. A sign beside others: a full node is what the scheduler aims at.',
  ),
  workloadPercentOfLimit: real(90, 50, 100).describe(
    'Working set of a pod as percent of its own limit from which it is about to be killed.',
  ),
  workloadMbPerDay: real(500, 1, 1_000_000).describe(
    'Growth of one workload’s working set, in MB a day, that is a leak where it goes on for hours.',
  ),
  oomKills: whole(1, 1, 1000).describe(
    'OOM kills in the time that was looked at that are a sign; a node that is well has none.',
  ),
  leastConfidence: real(0.5, 0, 0.99).describe(
    'A match with less confidence than this is no diagnosis: it is listed, and nothing is done.',
  ),
});
export type Thresholds = z.infer<typeof Thresholds>;
export type ThresholdName = keyof Thresholds;

/** Where a threshold is set, for a finding. */
export function sourceOf(name: ThresholdName): string {
  return `settings thresholds.${name}`;
}

function whole(byDefault: number, min: number, max: number) {
  return z.int().min(min).max(max).default(byDefault);
}

function real(byDefault: number, min: number, max: number) {
  return z.number().min(min).max(max).default(byDefault);
}
