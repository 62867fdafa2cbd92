import type { SeriesName } from '../evidence/trend.ts';

/** The project's own metrics: one namespace, and for a node the dimensions ClusterName and InstanceId. */
export const metricNamespace = 'CgroupMedic';

export type CensusMetric = {
  metric: string;
  unit: 'Count' | 'Bytes' | 'Percent' | 'None';
  /** By this a value of the metric is multiplied to give one of the series. */
  scale: number;
};

/** Memory is in bytes there, so that a console shows it right, and in KiB in the evidence. */
const bytes = { unit: 'Bytes', scale: 1 / 1024 } as const;
const plain = { unit: 'Count', scale: 1 } as const;

/**
 * What a census publishes of each node, by the series that an examination makes of it. The working set of one workload is
 * not among them: there are as many as there are workloads, and each would be a metric to pay for.
 */
export const censusMetrics = {
  dying: { metric: 'DyingCgroups', ...plain },
  live: { metric: 'LiveCgroups', ...plain },
  availableKb: { metric: 'MemoryAvailable', ...bytes },
  slabUnreclaimableKb: { metric: 'SlabUnreclaimable', ...bytes },
  percpuKb: { metric: 'Percpu', ...bytes },
  kubeletRssKb: { metric: 'KubeletResidentMemory', ...bytes },
  goroutines: { metric: 'KubeletGoroutines', ...plain },
  pods: { metric: 'Pods', ...plain },
  throttledRatio: { metric: 'ThrottledRatio', unit: 'None', scale: 1 },
  directReclaimPercent: { metric: 'DirectReclaim', unit: 'Percent', scale: 1 },
} as const satisfies Partial<Record<SeriesName, CensusMetric>>;

/**
 * Metrics of Container Insights that say the same, or more: where nobody publishes the census, and where it is on.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-EKS.html
 */
export const insightsMetrics = {
  pods: { metric: 'node_number_of_running_pods', ...plain },
  nodeWorkingSetKb: { metric: 'node_memory_working_set', ...bytes },
} as const satisfies Partial<Record<SeriesName, CensusMetric>>;
