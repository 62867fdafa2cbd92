import type { Evidence } from '../evidence/evidence.ts';
import { probeValue } from '../evidence/probe.ts';
import type { Prevention } from './cause.ts';
import { where } from './where.ts';

/** Preventions that more than one cause asks for. Each is empty where the evidence does not show that it applies. */

/** From here on the scopes of mounts are cleaned up (kubernetes#64137). */
const systemdThatCleansUp = 237;
/** From this share of what a node can take on, it is a dense one. */
const dense = 0.5;
/** Runs an hour that are worth a word. */
const often = 12;
/** EKS sets 255 MiB and 11 MiB a pod for Kubernetes, and nothing for the system. */
const reservation = '500Mi to 1Gi of memory';

/** On cgroup v1 nothing says which slice the dying are in, and slab pins them on old kernels. */
export function moveToV2(evidence: Evidence): Prevention[] {
  if (probeValue(evidence.probes.hierarchy)?.memory !== 'v1') return [];
  return [
    {
      what: 'an AMI with cgroup v2: AL2023, or Bottlerocket from Kubernetes 1.26 on',
      where: where.ami,
      because:
        'memory is on cgroup v1 here: it does not count the dying by slice, and its kernels keep them for longer',
    },
  ];
}

/** systemd before 237 leaves a scope behind for each mount of a secret or a config map. */
export function newerSystemd(evidence: Evidence): Prevention[] {
  const version = probeValue(evidence.probes.host)?.systemdVersion;
  if (version == null || version >= systemdThatCleansUp) return [];
  return [
    {
      what: `systemd ${systemdThatCleansUp} or later: AL2023 has 252`,
      where: where.ami,
      because: `systemd ${version} leaves a scope behind for mounts of secrets and config maps (kubernetes#64137)`,
    },
  ];
}

/** Two managers of one tree leave behind what the other one made. */
export function sameDriver(evidence: Evidence): Prevention[] {
  const ofRuntime = probeValue(evidence.probes.containers)?.cgroupDriver;
  const ofKubelet = probeValue(evidence.probes.kubelet)?.config?.flags?.cgroupDriver;
  if (ofRuntime == null || ofKubelet === undefined || ofRuntime === ofKubelet) return [];
  return [
    {
      what: 'SystemdCgroup = true for runc in containerd, and cgroupDriver: systemd in the kubelet: the same on both sides',
      where: `[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options] in ${where.containerdConfig}; the kubelet in ${where.kubeletConfig}`,
      because: `the runtime uses ${ofRuntime} and the kubelet ${ofKubelet}`,
    },
  ];
}

/** What the kubelet keeps back from the pods. */
export function reserveMemory(evidence: Evidence): Prevention[] {
  const config = probeValue(evidence.probes.kubelet)?.config;
  const parts = (['kubeReserved', 'systemReserved'] as const).filter(
    (part) => config?.[part] != null && config[part].memory === undefined,
  );
  const pods = probeValue(evidence.probes.nodeStatus)?.pods;
  const running = pods?.running;
  const isDense = running != null && pods?.allocatable != null && running >= pods.allocatable * dense;
  if (parts.length === 0) return [];
  return [
    {
      what: `${parts.map((part) => `${part}.memory`).join(' and ')} of ${isDense ? '1Gi' : reservation}${parts.length > 1 ? ' together' : ''}`,
      where: where.kubeletConfig,
      because: `the kubelet keeps nothing back as ${parts.join(' and ')}${isDense ? `, with ${running} pods on the node` : ''}`,
    },
  ];
}

/** Fewer pods, or limits: what the pods may take together is more than there is. */
export function moreMemory(evidence: Evidence): Prevention[] {
  const status = probeValue(evidence.probes.nodeStatus);
  const limitsKb = status?.memory?.limitsKb;
  const allocatableKb = status?.memory?.allocatableKb;
  const podsWithoutLimit = status?.memory?.podsWithoutLimit;
  const running = status?.pods?.running;
  const allocatable = status?.pods?.allocatable;
  const limits: Prevention[] =
    limitsKb != null && allocatableKb != null && limitsKb > allocatableKb
      ? [
          {
            what: 'memory limits close to the requests, or fewer of these pods on a node',
            where: 'resources.limits.memory of the pods; a LimitRange of the namespace for what has none',
            because: `limits add up to ${Math.round((limitsKb * 100) / allocatableKb)} % of what the node can give`,
          },
        ]
      : [];
  const unlimited: Prevention[] =
    podsWithoutLimit != null && podsWithoutLimit > 0
      ? [
          {
            what: 'a memory limit for every pod',
            where:
              'a LimitRange with default.memory in each namespace, or resources.limits.memory of the pods',
            because: `${podsWithoutLimit} pods on this node have none`,
          },
        ]
      : [];
  const density: Prevention[] =
    running != null && allocatable != null && running >= allocatable * dense
      ? [
          {
            what: `fewer than ${allocatable} pods on a node of this size (maxPods), or a larger instance type`,
            where: `spec.kubelet.config.maxPods of the NodeConfig in the user data of the launch template; the instance types of the node group or of the NodePool`,
            because: `${running} pods run here`,
          },
        ]
      : [];
  return [...limits, ...unlimited, ...density];
}

/** What starts by the clock or ends after a moment, and most often: each run can leave a dying cgroup. */
export function calmTheBusiest(evidence: Evidence): Prevention[] {
  const timers = probeValue(evidence.probes.timers);
  if (timers === undefined) return [];
  const perHour = (runs: number): number => Math.round((runs * 3600) / timers.coveredSeconds);
  const [busiest] = [...timers.timers, ...timers.shortLived].sort((a, b) => b.runs - a.runs);
  const byUnit: Prevention[] =
    busiest === undefined || perHour(busiest.runs) < often
      ? []
      : [
          {
            what: `let ${busiest.unit} run less often, or in a slice without the memory controller (DisableControllers=memory)`,
            where: `OnCalendar= or OnUnitActiveSec= in the timer, Slice= in a drop-in below /etc/systemd/system/${busiest.unit}.d/; in the image or the user data for new nodes`,
            because: `it ran ${perHour(busiest.runs)} times an hour, and each run can leave a dying cgroup`,
          },
        ];
  const byCron: Prevention[] =
    perHour(timers.cronRuns) < often
      ? []
      : [
          {
            what: 'let the jobs of cron run less often, or together as one',
            where: '/etc/crontab, /etc/cron.d and the crontabs of users, on the image',
            because: `cron ran ${perHour(timers.cronRuns)} jobs an hour, and each may open a session of its own`,
          },
        ];
  return [...byUnit, ...byCron];
}

/** New capacity from the same image and the same workloads inherits a leak. */
export function stayWithScaleOut(because: string): Prevention[] {
  return [{ what: 'do not scale out now', where: where.scaling, because }];
}
