import * as z from 'zod';
import { ConsoleOutput } from './console.ts';
import { KubeletMetrics } from './kubelet-metrics.ts';
import { NodeEvents, NodeStatus, PodStatus } from './node-status.ts';
import { probeOf } from './probe.ts';
import { Trend } from './trend.ts';

/** What is known of the node without asking it: from the API server, its metrics, and its console. */
export const AroundProbes = z.object({
  nodeStatus: probeOf(NodeStatus),
  podStatus: probeOf(PodStatus),
  nodeEvents: probeOf(NodeEvents),
  kubeletMetrics: probeOf(KubeletMetrics),
  trend: probeOf(Trend),
  console: probeOf(ConsoleOutput),
});
export type AroundProbes = z.infer<typeof AroundProbes>;
export const aroundProbes = Object.keys(AroundProbes.shape);
