import type * as z from 'zod';
import type { KubeletMetrics } from '../evidence/kubelet-metrics.ts';
import { histogramQuantile, type MetricSample, samplesIn } from './prometheus-text.ts';
import { kibOf } from './quantity.ts';
import { given, type Read } from './read.ts';

const histograms = {
  plegRelistP99Seconds: 'kubelet_pleg_relist_duration_seconds',
  podWorkerP99Seconds: 'kubelet_pod_worker_duration_seconds',
  evictionStatsAgeP99Seconds: 'kubelet_eviction_stats_age_seconds',
} as const;

const gauges = [
  'process_resident_memory_bytes',
  'process_start_time_seconds',
  'go_goroutines',
  'kubelet_running_containers',
  'kubelet_running_pods',
  'kubelet_orphaned_runtime_pods_total',
  'kubelet_evictions',
  'kubelet_cgroup_version',
];

const wanted = new Set([...gauges, ...Object.values(histograms).map((name) => `${name}_bucket`)]);
const mostSignals = 20;

type Value = z.infer<typeof KubeletMetrics>;

/** What the page of a kubelet's metrics says. A metric that it does not have is named as not read, and is no zero. */
export function kubeletMetricsIn(page: string, now: Date): Read<Value> {
  const samples = samplesIn(page, (name) => wanted.has(name));
  if (samples.length === 0) {
    return { gap: `none of the metrics of a kubelet is on its page of ${page.length} characters` };
  }
  const notRead: Record<string, string> = {};
  const known = <T>(part: keyof Value, name: string, value: T | undefined): T | null => {
    if (value === undefined) notRead[part] = `the kubelet has no ${name}`;
    return value ?? null;
  };
  const gauge = (part: keyof Value, name: string, of: (value: number) => number = Math.round) => {
    const value = sum(samples, name);
    return known(part, name, value === undefined || value < 0 ? undefined : of(value));
  };
  const containers = (part: keyof Value, state: string) =>
    known(
      part,
      'kubelet_running_containers',
      // It has a series per state it has seen; with any of them, a state without one has no container.
      sum(samples, 'kubelet_running_containers') === undefined
        ? undefined
        : Math.round(sum(samples, 'kubelet_running_containers', { container_state: state }) ?? 0),
    );
  const quantile = (part: keyof typeof histograms) => {
    const value = histogramQuantile(0.99, samples, histograms[part]);
    return value === undefined ? undefined : Math.round(value * 1000) / 1000;
  };
  // A kubelet that has evicted or relisted nothing yet has no such histogram; that is not worth a gap each.
  const evictions = samples.filter(({ name }) => name === 'kubelet_evictions').slice(0, mostSignals);
  const version = sum(samples, 'kubelet_cgroup_version');
  const value: Value = {
    rssKb: gauge('rssKb', 'process_resident_memory_bytes', kibOf),
    goroutines: gauge('goroutines', 'go_goroutines'),
    startedSecondsAgo: gauge('startedSecondsAgo', 'process_start_time_seconds', (at) =>
      Math.max(0, Math.round(now.getTime() / 1000 - at)),
    ),
    plegRelistP99Seconds: known(
      'plegRelistP99Seconds',
      histograms.plegRelistP99Seconds,
      quantile('plegRelistP99Seconds'),
    ),
    podWorkerP99Seconds: quantile('podWorkerP99Seconds') ?? null,
    evictionStatsAgeP99Seconds: quantile('evictionStatsAgeP99Seconds') ?? null,
    runningContainers: containers('runningContainers', 'running'),
    exitedContainers: containers('exitedContainers', 'exited'),
    runningPods: gauge('runningPods', 'kubelet_running_pods'),
    orphanedRuntimePods: sum(samples, 'kubelet_orphaned_runtime_pods_total') ?? null,
    evictions: Object.fromEntries(
      evictions.map(({ labels, value }) => [
        given(labels.eviction_signal ?? 'unnamed'),
        Math.max(0, Math.round(value)),
      ]),
    ),
    // It is there from Kubernetes 1.31 on.
    cgroupVersion: version === 1 || version === 2 ? version : null,
    notRead,
  };
  return { value };
}

function sum(
  samples: readonly MetricSample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const found = samples.filter(
    (sample) =>
      sample.name === name &&
      Number.isFinite(sample.value) &&
      Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  return found.length === 0 ? undefined : found.reduce((total, { value }) => total + value, 0);
}
