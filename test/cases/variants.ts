import type { CauseId } from '../../lambdas/domain/causes/cause.ts';
import type { Fact, Incident } from './incident.ts';

/**
 * Reports that nobody has written: near variants of the public ones, in other words, units and figures. They show that
 * the reading of facts does not hang on single names; `may` are the answers that are right.
 */
type Variant = {
  name: string;
  platform?: Incident['platform'];
  facts: Record<string, Fact['value']>;
  may: CauseId[];
  variant?: string;
};

export const variants: Variant[] = [
  {
    name: 'a counter that a cache drop empties',
    facts: { memory_cgroups: '65,535', reboot_helps: true, dropping_caches_helps: true },
    may: ['dying-memcgs', 'memcg-id-exhaustion'],
  },
  {
    name: 'counted on cgroup v2',
    platform: { cgroupVersion: 2, kernel: '6.1.90', memoryGiB: 16 },
    facts: { nr_dying_descendants: 48_211, nr_descendants: 310 },
    may: ['dying-memcgs'],
  },
  {
    name: 'only the dying are counted',
    facts: { zombie_memcgs: 'tens of thousands' },
    may: ['dying-memcgs'],
  },
  {
    name: 'kernel memory and a walk of the tree',
    facts: {
      hotspot: 'mem_cgroup_iter',
      slab_unreclaimable_trend: 'grows steadily',
      trigger: 'cron jobs that create pods',
    },
    may: ['dying-memcgs'],
  },
  {
    name: 'percpu memory in words',
    facts: { percpu_gb: 22, node_memory_gb: 64, producer: 'CronJobs', percpu_trend: 'monotonic growth' },
    may: ['dying-memcgs'],
  },
  {
    name: 'statistics that take long to read',
    facts: { slow_file: 'memory.stat', dropping_caches_fixes: true, stall_ms_min: 100 },
    may: ['dying-memcgs'],
  },
  {
    name: 'logins, with what is below their slice',
    platform: { cgroupVersion: 2, systemd: '252' },
    facts: {
      nr_dying_descendants: 30_500,
      nr_descendants: 190,
      user_slice_dying: 30_100,
      ssh_logins_per_minute: 12,
      producer: 'monitoring over ssh',
    },
    may: ['session-churn'],
  },
  {
    name: 'sessions stuck, in other words',
    facts: { closing_sessions: 412, ssh_logins_per_hour: 300, abandoned_session_scopes: 400 },
    may: ['session-churn', 'leaked-scopes'],
  },
  {
    name: 'cron logins that leave dying cgroups',
    facts: {
      cron_runs_per_minute: 3,
      producer: 'cron with PAM session',
      sessions_in_closing_state: 'hundreds',
    },
    may: ['session-churn', 'leaked-scopes'],
  },
  {
    name: 'transient scopes without a process',
    facts: { leaked_run_scopes: 31_000, scope_has_processes: false, kubelet_cpu_trend: 'increases linearly' },
    may: ['leaked-scopes'],
  },
  {
    name: 'stale pod slices',
    facts: { stale_pod_cgroups: 5200, tasks_file_empty: true },
    may: ['leaked-scopes'],
  },
  {
    name: 'no space on a kernel of EL7',
    platform: { kernel: '3.10.0-862.el7.x86_64', os: 'CentOS 7.5' },
    facts: {
      sandbox_error: 'mkdir /sys/fs/cgroup/memory/kubepods/burstable/pod1: no space left on device',
      node_uptime_days: 90,
    },
    may: ['memcg-id-exhaustion'],
  },
  {
    name: 'an agent in a crash loop that nobody needs',
    platform: { cgroupVersion: 1 },
    facts: {
      agent_unit: 'telemetry-agent.service',
      agent_restarts: 51_000,
      agent_needed: false,
      memory_cgroups: 50_400,
      visible_cgroups: 260,
    },
    may: ['orphaned-agent'],
  },
  {
    name: 'an agent that leaks memory and is needed',
    facts: {
      agent_rss_gb: 6.5,
      agent_memory_trend: 'steady increase',
      agent_needed_by_workloads: true,
      agent_unit: 'ecs-agent',
    },
    may: ['agent-leak'],
  },
  {
    name: 'the repair channel leaks',
    facts: { ssm_agent_rss_mb: 4096, ssm_agent_memory_trend: 'grows without bound' },
    may: ['agent-leak'],
  },
  {
    name: 'kubelet memory from and to',
    facts: { kubelet_rss_start_mb: 180, kubelet_rss_end_mb: 4200, days_between: 10, pods_trend: 'constant' },
    may: ['kubelet-leak'],
  },
  {
    name: 'kubelet growth as a rate',
    facts: { kubelet_memory_growth_mb_per_day: 450, goroutines: 22_000, kubelet_restart_helps: true },
    may: ['kubelet-leak'],
  },
  {
    name: 'pod certificates by the profile',
    platform: { kubernetes: 'v1.34.1' },
    facts: { feature_gates_enabled: 'PodCertificateRequest=true', heap_top: 'podcertificate.credStore' },
    may: ['kubelet-leak'],
    variant: 'pod-certs',
  },
  {
    name: 'the misc controller on cgroup v1',
    platform: {
      kernel: '5.15.0-1031',
      cgroupVersion: 1,
      kubernetes: 'v1.25.6',
      runtime: 'containerd 1.6.18, runc 1.1.4',
    },
    facts: {
      kubelet_log: 'Failed to delete cgroup paths',
      failed_to_delete_cgroup_paths_messages: 4000,
      kubelet_memory_trend: 'increases linearly',
      kubelet_restart_helps: true,
    },
    may: ['kubelet-leak'],
    variant: 'cgroup-v1-misc',
  },
  {
    name: 'the evented generator',
    platform: { kubernetes: 'v1.33.0' },
    facts: { feature_gate: 'EventedPLEG', goroutines_start: 400, goroutines_end: 30_000, hours_between: 48 },
    may: ['kubelet-leak'],
    variant: 'evented-pleg',
  },
  {
    name: 'the kubelet is killed again and again',
    facts: { kubelet_oom_kills: 14, kubelet_rss_gb: 7.4, kubelet_restart_count: 14 },
    may: ['kubelet-oom-cycle'],
  },
  {
    name: 'a container at its own limit',
    facts: {
      container_oom_killed: true,
      container_memory_limit_mb: 512,
      container_memory_start_mb: 90,
      container_memory_end_mb: 510,
      hours_between: 72,
      owner_kind: 'Deployment',
    },
    may: ['workload-leak'],
  },
  {
    name: 'a pod that grows, as a word',
    facts: {
      last_termination_reason: 'OOMKilled',
      memory_trend: 'climbs until killed',
      controller_kind: 'StatefulSet',
    },
    may: ['workload-leak'],
  },
  {
    name: 'throttled by a share of its periods',
    facts: { throttled_percent: 61, cpu_limit_millicores: 200 },
    may: ['cpu-quota-throttling'],
  },
  {
    name: 'throttled by counts',
    facts: { nr_periods: 12_000, nr_throttled: 7400 },
    may: ['cpu-quota-throttling'],
  },
  {
    name: 'faster without its limit',
    facts: { p95_ms_with_cpu_limit: 210, p95_ms_without_cpu_limit: 31 },
    may: ['cpu-quota-throttling'],
  },
  {
    name: 'kswapd in percent',
    facts: { kswapd_cpu_percent: 100, direct_reclaim_percent: 31, memory_available_mb: 120, memory_gib: 8 },
    may: ['reclaim-pressure', 'oversubscribed-node'],
  },
  {
    name: 'stalled on memory',
    facts: { psi_memory_full_avg60_percent: 42, kswapd_high_cpu: true },
    may: ['reclaim-pressure'],
  },
  {
    name: 'more promised than there is',
    facts: {
      memory_limits_percent: 310,
      node_memory_gib: 16,
      evicted_pods: 9,
      node_condition: 'MemoryPressure',
    },
    may: ['oversubscribed-node'],
  },
  {
    name: 'dead containers by number',
    facts: { exited_containers: 2900, running_containers: 34 },
    may: ['dead-containers'],
  },
  {
    name: 'a list too large for gRPC, as a message',
    facts: {
      kubelet_error: 'rpc error: code = ResourceExhausted desc = grpc: received message larger than max',
    },
    may: ['dead-containers'],
  },
  {
    name: 'an agent from and to',
    facts: { cloudwatch_agent_rss_mb_start: 80, cloudwatch_agent_rss_mb_end: 2600, days_between: 12 },
    may: ['agent-leak'],
  },
  {
    name: 'a daemon that a restart empties',
    facts: { dockerd_rss_gb: 9, dockerd_restart_helps: true },
    may: ['agent-leak'],
  },
  {
    name: 'memory before and after a drop',
    facts: { memory_cgroups_before: 58_000, memory_cgroups_after_drop_caches: 900 },
    may: ['dying-memcgs'],
  },
  {
    name: 'events only, on a kernel of EL7',
    platform: { kernel: '3.10.0-957.el7' },
    facts: { event_message: 'Failed create pod sandbox: no space left on device', failed_events: 12 },
    may: ['memcg-id-exhaustion'],
  },
  {
    name: 'scopes by number',
    platform: { systemd: '229' },
    facts: { scope_count: 25_000, stopping_scopes_helps: true, kubelet_cpu_percent: 300 },
    may: ['leaked-scopes'],
  },
  {
    name: 'the misc controller, by name',
    platform: { kernel: '5.15', cgroupVersion: 1 },
    facts: { leaking_controller: 'misc', kubelet_memory_trend: 'grows', runc_version: '1.1.5' },
    may: ['kubelet-leak'],
    variant: 'cgroup-v1-misc',
  },
  {
    name: 'the kubelet, killed by the word of the kernel',
    facts: {
      kernel_message: 'Memory cgroup out of memory: Killed process 2211 (kubelet)',
      kubelet_restarts: 9,
      node_condition: 'NotReady',
    },
    may: ['kubelet-oom-cycle'],
  },
  {
    name: 'kills and restarts of nobody by name',
    facts: { pod_last_state_reason: 'OOMKilled', memory_limit_mib: 180, restart_count: 14 },
    may: ['workload-leak'],
  },
  {
    name: 'an alert whose threshold is public',
    facts: { alert: 'CPUThrottlingHigh' },
    may: ['cpu-quota-throttling'],
  },
  {
    name: 'a profile in reclaim',
    facts: { perf_hotspot: 'shrink_inactive_list', system_cpu_percent: 88, load_average: 120 },
    may: ['reclaim-pressure'],
  },
  {
    name: 'requests and evictions',
    facts: { evicted_pods: 30, memory_pressure: true, memory_requests_percent: 99 },
    may: ['oversubscribed-node'],
  },
  {
    name: 'containers that pruning cures',
    facts: { stopped_containers: 'thousands', pruning_containers_helps: true },
    may: ['dead-containers'],
  },
  {
    name: 'a full disk is no full cgroup tree',
    facts: { node_condition: 'DiskPressure', evicted_pods: 12, message: 'no space left on device' },
    may: ['inconclusive'],
  },
  {
    name: 'a control, of which only a part was seen',
    platform: { cgroupVersion: 2, memoryGiB: 16 },
    facts: { nr_dying_descendants: 24, nr_descendants: 180, throttled_percent: 0 },
    may: ['inconclusive'],
  },
  {
    name: 'a claim without a figure',
    facts: { claimed_site: 'pkg/kubelet/pod/pod_manager.go', profile_given: false, kubelet_rss_given: false },
    may: ['inconclusive'],
  },
  {
    name: 'the memory controller is off',
    facts: { boot_parameter: 'cgroup_disable=memory', drop_caches_helps: false, dentry_cache_mb: 900 },
    may: ['inconclusive'],
  },
  {
    name: 'another controller leaks',
    platform: { cgroupVersion: 1, kernel: '5.19' },
    facts: { leaking_controller: 'pids', slow_file: 'pids.current' },
    may: ['inconclusive'],
  },
];

/** Such a report in the form of an incident, as far as evidence is made from it. */
export function reportOf({
  name,
  platform = {},
  facts,
}: Variant): Pick<Incident, 'id' | 'year' | 'platform' | 'facts'> {
  return {
    id: name,
    year: 2026,
    platform,
    facts: Object.entries(facts).map(([fact, value]) => ({ name: fact, value, from: 'reported' })),
  };
}
