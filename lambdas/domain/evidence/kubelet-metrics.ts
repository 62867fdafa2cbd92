import * as z from 'zod';
import { count, kb, NotRead, name, share, unknownOr } from './number.ts';

/**
 * What the kubelet says of itself on its /metrics, which asks for the right nodes/metrics. Percentiles are over its whole
 * life; in seconds.
 */
export const KubeletMetrics = z.object({
  rssKb: unknownOr(kb),
  goroutines: unknownOr(count),
  startedSecondsAgo: unknownOr(count),
  plegRelistP99Seconds: unknownOr(share),
  podWorkerP99Seconds: unknownOr(share),
  evictionStatsAgeP99Seconds: unknownOr(share),
  runningContainers: unknownOr(count),
  exitedContainers: unknownOr(count),
  runningPods: unknownOr(count),
  orphanedRuntimePods: unknownOr(count),
  /** Evictions by signal since it started. */
  evictions: z.record(name, count).default({}),
  cgroupVersion: unknownOr(z.union([z.literal(1), z.literal(2)])),
  notRead: NotRead,
});
