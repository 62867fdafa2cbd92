import * as z from 'zod';
import { type Answer, refusal } from './kubernetes-answer.ts';

/** A budget, and how many evictions of its pods it allows now. A test changes that as the pods' controller would. */
export type LocalBudget = {
  namespace: string;
  name: string;
  /** Names of the pods that it selects. */
  pods: readonly string[];
  allowed: number;
};

export type LocalNodeClaim = { name: string; uid: string; instanceId: string; deleting?: boolean };

export type KubernetesObject = {
  metadata: { name: string; namespace?: string; uid?: string; annotations?: Record<string, string> };
  spec?: object;
};

const NodePatch = z.looseObject({
  metadata: z.looseObject({
    uid: z.string().optional(),
    resourceVersion: z.string().optional(),
    annotations: z.record(z.string(), z.string().nullable()).default({}),
  }),
  spec: z.looseObject({ unschedulable: z.boolean().nullish() }).optional(),
});
const Preconditions = z
  .object({ preconditions: z.object({ uid: z.string().optional() }).optional() })
  .optional();
const Eviction = z.strictObject({
  apiVersion: z.literal('policy/v1'),
  kind: z.literal('Eviction'),
  metadata: z.object({ name: z.string(), namespace: z.string() }),
  deleteOptions: Preconditions,
});

type NodeChange = { version: number; annotations: Record<string, string>; unschedulable: boolean };

/** What was changed in the cluster that a stand-in stands for: cordons, evictions, claims. The recorded objects stay as they are. */
export class LocalChanges {
  readonly budgets: LocalBudget[] = [];
  readonly nodeClaims: LocalNodeClaim[] = [];
  /** Pods that are evicted and do not go: a long end, a finalizer. */
  readonly lingering = new Set<string>();
  readonly evicted: string[] = [];
  readonly #nodes = new Map<string, NodeChange>();
  readonly #leaving = new Set<string>();
  readonly #gone = new Set<string>();

  /** The node with what was changed of it. Each change makes a new version. */
  node<T extends KubernetesObject>(object: T): T {
    const { version, annotations, unschedulable } = this.#changeOf(object);
    const { metadata } = object;
    return {
      ...object,
      metadata: {
        creationTimestamp: 'ago:86400',
        ...metadata,
        uid: uidOf(object),
        resourceVersion: String(version),
        annotations,
      },
      spec: { ...object.spec, ...(unschedulable ? { unschedulable } : {}) },
    };
  }

  /** The pod with what was changed of it; `undefined` once it has gone. */
  pod<T extends KubernetesObject>(object: T): T | undefined {
    const uid = uidOf(object);
    if (this.#gone.has(uid)) return undefined;
    const leaving = this.#leaving.has(uid);
    // Seen once more on its way out, and then no longer.
    if (leaving && !this.lingering.has(object.metadata.name)) this.#gone.add(uid);
    return {
      ...object,
      metadata: {
        namespace: 'default',
        ...object.metadata,
        uid,
        ...(leaving ? { deletionTimestamp: 'ago:5' } : {}),
      },
    };
  }

  /** Somebody else changes the node: `null` takes an annotation away. */
  touch(
    object: KubernetesObject,
    {
      annotations = {},
      unschedulable,
    }: { annotations?: Record<string, string | null>; unschedulable?: boolean } = {},
  ): void {
    const change = this.#changeOf(object);
    change.version += 1;
    for (const [key, value] of Object.entries(annotations)) {
      if (value === null) delete change.annotations[key];
      else change.annotations[key] = value;
    }
    change.unschedulable = unschedulable ?? change.unschedulable;
  }

  patchNode(object: KubernetesObject, type: string, body: unknown): Answer {
    if (type !== 'application/merge-patch+json')
      return refusal(415, `the body of the request was in an unknown format: ${type}`);
    const patch = NodePatch.safeParse(body);
    if (!patch.success) return refusal(400, `the patch is none: ${patch.error.message}`);
    const { metadata, spec } = patch.data;
    const change = this.#changeOf(object);
    if (metadata.uid !== undefined && metadata.uid !== uidOf(object)) {
      return refusal(
        409,
        `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${uidOf(object)}`,
      );
    }
    if (metadata.resourceVersion !== undefined && metadata.resourceVersion !== String(change.version)) {
      return refusal(
        409,
        `Operation cannot be fulfilled on nodes "${object.metadata.name}": the object has been modified; please apply your changes to the latest version and try again`,
      );
    }
    this.touch(object, {
      annotations: metadata.annotations,
      ...(spec?.unschedulable === undefined ? {} : { unschedulable: spec.unschedulable ?? false }),
    });
    return { status: 200, body: this.node(object) };
  }

  /** The eviction subresource: https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/ */
  evict(object: KubernetesObject | undefined, name: string, body: unknown): Answer {
    const eviction = Eviction.safeParse(body);
    if (!eviction.success) return refusal(400, `the eviction is none: ${eviction.error.message}`);
    const uid = object === undefined ? undefined : uidOf(object);
    if (object === undefined || uid === undefined || this.#gone.has(uid))
      return refusal(404, `pods "${name}" not found`);
    const wanted = eviction.data.deleteOptions?.preconditions?.uid;
    if (wanted !== undefined && wanted !== uid) {
      return refusal(409, `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${uid}`);
    }
    const { namespace = 'default' } = object.metadata;
    const budgets = this.budgets.filter((one) => one.namespace === namespace && one.pods.includes(name));
    const [budget, second] = budgets;
    if (second !== undefined) {
      return refusal(
        500,
        'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      );
    }
    if (!this.#leaving.has(uid) && budget !== undefined && budget.allowed <= 0) {
      return refusal(429, "Cannot evict pod as it would violate the pod's disruption budget.", {
        causes: [
          {
            reason: 'DisruptionBudget',
            message: `The disruption budget ${budget.name} needs ${budget.pods.length} healthy pods and has ${budget.pods.length} currently`,
          },
        ],
      });
    }
    if (!this.#leaving.has(uid)) {
      if (budget !== undefined) budget.allowed -= 1;
      this.evicted.push(`${namespace}/${name}`);
      this.#leaving.add(uid);
    }
    return {
      status: 201,
      body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 },
    };
  }

  nodeClaim(name: string): Answer {
    const claim = this.nodeClaims.find((one) => one.name === name);
    return claim === undefined
      ? refusal(404, `nodeclaims.karpenter.sh "${name}" not found`)
      : { status: 200, body: claimObject(claim) };
  }

  deleteNodeClaim(name: string, body: unknown): Answer {
    const claim = this.nodeClaims.find((one) => one.name === name);
    if (claim === undefined) return refusal(404, `nodeclaims.karpenter.sh "${name}" not found`);
    const wanted = Preconditions.parse(body)?.preconditions?.uid;
    if (wanted !== undefined && wanted !== claim.uid) {
      return refusal(
        409,
        `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${claim.uid}`,
      );
    }
    // A finalizer of Karpenter keeps it until its node has gone.
    claim.deleting = true;
    return { status: 200, body: claimObject(claim) };
  }

  #changeOf(object: KubernetesObject): NodeChange {
    const known = this.#nodes.get(object.metadata.name);
    if (known !== undefined) return known;
    const { unschedulable = false } = (object.spec ?? {}) as { unschedulable?: boolean };
    const change = { version: 1, annotations: { ...object.metadata.annotations }, unschedulable };
    this.#nodes.set(object.metadata.name, change);
    return change;
  }
}

function claimObject({ name, uid, instanceId, deleting }: LocalNodeClaim): object {
  return {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodeClaim',
    metadata: { name, uid, ...(deleting ? { deletionTimestamp: 'ago:5' } : {}) },
    status: { providerID: `aws:///us-east-1a/${instanceId}` },
  };
}

/** Recorded objects need not have one. */
function uidOf({ metadata: { uid, namespace = '', name } }: KubernetesObject): string {
  return uid ?? `uid-of-${namespace}.${name}`;
}
