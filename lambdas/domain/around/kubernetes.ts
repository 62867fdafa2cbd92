import * as z from 'zod';

/** What is read of the objects of the Kubernetes API; everything else in them is dropped. */

const text = z.string();
/** RFC 3339, to the second or finer. */
const time = text.nullish();
const resources = z.record(text, text).default({});
const Resources = z.object({ requests: resources, limits: resources }).prefault({});

const Metadata = z.object({
  name: text,
  namespace: text.default(''),
  uid: text.default(''),
  labels: z.record(text, text).default({}),
  creationTimestamp: time,
  deletionTimestamp: time,
  ownerReferences: z
    .array(z.object({ kind: text, name: text, controller: z.boolean().default(false) }))
    .default([]),
});

const Condition = z.object({
  type: text,
  /** Conditions are made by many, and one with another status must not cost the list that it is in. */
  status: z.enum(['True', 'False', 'Unknown']).catch('Unknown'),
  reason: text.nullish(),
  lastTransitionTime: time,
});

export const KubernetesNode = z.object({
  metadata: Metadata,
  spec: z
    .object({
      providerID: text.default(''),
      unschedulable: z.boolean().default(false),
      taints: z.array(z.object({ key: text, value: text.default(''), effect: text })).default([]),
    })
    .prefault({}),
  status: z
    .object({
      conditions: z.array(Condition).default([]),
      capacity: resources,
      allocatable: resources,
      addresses: z.array(z.object({ type: text, address: text })).default([]),
      daemonEndpoints: z.object({ kubeletEndpoint: z.object({ Port: z.int() }).optional() }).prefault({}),
      nodeInfo: z
        .object({
          kubeletVersion: text.optional(),
          osImage: text.optional(),
          kernelVersion: text.optional(),
          containerRuntimeVersion: text.optional(),
        })
        .prefault({}),
    })
    .prefault({}),
});
export type KubernetesNode = z.infer<typeof KubernetesNode>;

const Container = z.object({
  name: text,
  resources: Resources,
  /** Always, on an init container: it stays beside the others, as a sidecar. */
  restartPolicy: text.optional(),
});

const Ended = z.object({ reason: text.nullish(), finishedAt: time });
const State = z
  .object({ waiting: z.object({ reason: text.nullish() }).optional(), terminated: Ended.optional() })
  .prefault({});
const ContainerStatus = z.object({
  name: text,
  restartCount: z.int().nonnegative().default(0),
  state: State,
  lastState: State,
});
export type ContainerStatus = z.infer<typeof ContainerStatus>;

export const Pod = z.object({
  metadata: Metadata,
  spec: z.object({
    containers: z.array(Container).default([]),
    initContainers: z.array(Container).default([]),
    overhead: resources,
    /** Of the pod as a whole, where it says so itself. */
    resources: Resources,
  }),
  status: z
    .object({
      phase: text.default('Unknown'),
      reason: text.nullish(),
      startTime: time,
      containerStatuses: z.array(ContainerStatus).default([]),
      initContainerStatuses: z.array(ContainerStatus).default([]),
    })
    .prefault({}),
});
export type Pod = z.infer<typeof Pod>;

export const KubernetesEvent = z.object({
  metadata: Metadata.partial(),
  involvedObject: z.object({
    kind: text.default(''),
    name: text.default(''),
    uid: text.default(''),
  }),
  reason: text.nullish(),
  message: text.nullish(),
  count: z.int().nullish(),
  lastTimestamp: time,
  eventTime: time,
  series: z.object({ count: z.int(), lastObservedTime: time }).nullish(),
  source: z.object({ host: text.optional() }).nullish(),
  reportingInstance: text.nullish(),
});
export type KubernetesEvent = z.infer<typeof KubernetesEvent>;

export const PodCertificateRequest = z.object({
  metadata: Metadata,
  spec: z.object({ nodeName: text.default('') }),
  status: z.object({ conditions: z.array(Condition).default([]) }).prefault({}),
});
export type PodCertificateRequest = z.infer<typeof PodCertificateRequest>;

/** One answer of a list: its items, and where the next page begins. */
export const List = z.object({
  metadata: z.object({ continue: text.default('') }).prefault({}),
  items: z.array(z.unknown()).default([]),
});

/** Seconds from a time of the API server until now; `null` where there is none, and never negative. */
export function secondsSince(at: string | null | undefined, now: Date): number | null {
  const then = Date.parse(at ?? '');
  return Number.isNaN(then) ? null : Math.max(0, Math.round((now.getTime() - then) / 1000));
}

export function isOver({ status }: Pod): boolean {
  return status.phase === 'Succeeded' || status.phase === 'Failed';
}
