import * as z from 'zod';

/**
 * What is read of the objects of the Kubernetes API before a node is drained. One that lacks what a decision rests on is
 * not read at all: a pod without an owner and one whose owner was not told are not the same.
 */

const named = z.string().min(1);
const texts = z.record(z.string(), z.string()).default({});
const time = z.string().nullish();
const owners = z
  .array(z.object({ kind: z.string(), name: z.string(), controller: z.boolean().default(false) }))
  .default([]);

export const PodOnNode = z.object({
  metadata: z.object({
    name: named,
    namespace: named,
    uid: named,
    annotations: texts,
    deletionTimestamp: time,
    ownerReferences: owners,
  }),
  spec: z.object({
    containers: z
      .array(
        z.object({
          resources: z.object({ limits: z.object({ memory: z.unknown().optional() }).nullish() }).nullish(),
        }),
      )
      .optional(),
    volumes: z
      .array(
        z.object({
          name: z.string(),
          emptyDir: z.object({ medium: z.string().default('') }).nullish(),
          hostPath: z.object({}).nullish(),
        }),
      )
      .default([]),
  }),
  status: z.object({ phase: named, qosClass: z.string().optional() }),
});
export type PodOnNode = z.infer<typeof PodOnNode>;

export const NodeToReplace = z.object({
  metadata: z.object({
    name: named,
    uid: named,
    resourceVersion: named,
    labels: texts,
    annotations: texts,
    creationTimestamp: z.iso.datetime(),
    deletionTimestamp: time,
    ownerReferences: owners,
  }),
  spec: z.object({
    providerID: z.string().default(''),
    unschedulable: z.boolean().default(false),
    taints: z.array(z.object({ key: z.string(), value: z.string().default('') })).default([]),
  }),
  status: z
    .object({
      conditions: z
        .array(
          z.object({
            type: z.string(),
            status: z.string(),
            reason: z.string().optional(),
            message: z.string().optional(),
            lastHeartbeatTime: z.string().nullish(),
          }),
        )
        .default([]),
    })
    .prefault({}),
});
export type NodeToReplace = z.infer<typeof NodeToReplace>;
