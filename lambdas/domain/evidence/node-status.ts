import * as z from 'zod';
import { count, kb, NotRead, name, share, unknownOr } from './number.ts';

const millicores = z.int().nonnegative();

/** The node as the API server knows it: its conditions, and what its pods ask for against what it can give. */
export const NodeStatus = z.object({
  conditions: z
    .array(
      z.object({
        type: name,
        status: z.enum(['True', 'False', 'Unknown']),
        reason: unknownOr(name),
        /** Since its last transition. */
        sinceSeconds: unknownOr(count),
      }),
    )
    .max(30)
    .default([]),
  unschedulable: unknownOr(z.boolean()),
  /** KEY=VALUE:EFFECT */
  taints: z.array(name).max(20).default([]),
  kubeletVersion: unknownOr(name),
  osImage: unknownOr(name),
  kernelVersion: unknownOr(name),
  containerRuntime: unknownOr(name),
  instanceType: unknownOr(name),
  /** Who made the node: the managed node group, the node pool of Karpenter; `null` where no label says so. */
  nodeGroup: unknownOr(name),
  memory: unknownOr(
    z.object({
      capacityKb: unknownOr(kb),
      allocatableKb: unknownOr(kb),
      requestsKb: unknownOr(kb),
      limitsKb: unknownOr(kb),
      podsWithoutLimit: unknownOr(count),
      /** Percent of what is allocatable, as `kubectl describe node` prints them, where nobody wrote down more. */
      requestsPercent: unknownOr(share),
      limitsPercent: unknownOr(share),
    }),
  ),
  cpu: unknownOr(
    z.object({
      allocatableMillicores: millicores,
      requestsMillicores: millicores,
      limitsMillicores: millicores,
    }),
  ),
  pods: unknownOr(z.object({ allocatable: count, running: count, pending: count })),
  notRead: NotRead,
});

/** The controller that owns a pod, as far up as the API server was asked; `null` for a bare pod. */
const Owner = unknownOr(z.object({ kind: name, name }));

/** What has happened to the pods of the node in the last `coveredSeconds`, as the API server knows it. */
export const PodStatus = z.object({
  coveredSeconds: unknownOr(z.int().positive()),
  /** Pods started, and pods that ended or were deleted. */
  started: unknownOr(count),
  ended: unknownOr(count),
  evicted: unknownOr(count),
  /** Containers whose last end was an OOM kill, most restarts first. */
  oomKilled: z
    .array(
      z.object({
        pod: unknownOr(name),
        container: unknownOr(name),
        owner: Owner,
        restarts: unknownOr(count),
        limitKb: unknownOr(kb),
        secondsAgo: unknownOr(count),
      }),
    )
    .max(20)
    .default([]),
  /** Containers that are restarted again and again, and the pods of DaemonSets whatever they do: agents that live in pods. */
  agents: z
    .array(
      z.object({
        pod: name,
        container: name,
        owner: Owner,
        daemonSet: z.boolean(),
        restarts: count,
        waiting: unknownOr(name),
        memoryKb: unknownOr(kb),
      }),
    )
    .max(40)
    .default([]),
  /** Pod certificate requests of this node that nobody has answered. */
  certificateRequestsPending: unknownOr(count),
  notRead: NotRead,
});

/** Events about the node and its pods, by reason, most first. */
export const NodeEvents = z.object({
  coveredSeconds: unknownOr(z.int().positive()),
  reasons: z
    .array(z.object({ reason: name, count, lastSecondsAgo: unknownOr(count), sample: unknownOr(name) }))
    .max(30)
    .default([]),
  /** FailedCreatePodSandBox whose message says "no space left on device", or "cannot allocate memory". */
  sandboxNoSpace: unknownOr(count),
  sandboxNoMemory: unknownOr(count),
  notRead: NotRead,
});
