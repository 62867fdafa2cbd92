import { NodeToReplace, PodOnNode } from '../../../../lambdas/domain/replacement/objects.ts';

type Change = Record<string, unknown>;

export const incident = 'prod-i-0123456789abcdef0-1764312000';
export const instanceId = 'i-0123456789abcdef0';

/** A node as the API server gives it, a day old, with what is not read left in. */
export function aNode(change: { metadata?: Change; spec?: Change } = {}): NodeToReplace {
  return NodeToReplace.parse({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: 'ip-10-0-17-42.eu-central-1.compute.internal',
      uid: 'node-uid',
      resourceVersion: '4711',
      creationTimestamp: '2026-11-27T06:30:00Z',
      managedFields: [],
      ...change.metadata,
    },
    spec: { providerID: `aws:///eu-central-1a/${instanceId}`, podCIDR: '10.1.0.0/24', ...change.spec },
    status: {},
  });
}

export type PodChange = {
  name?: string;
  namespace?: string;
  uid?: string;
  /** The kind of the controller; `null` for none. */
  owner?: string | null;
  annotations?: Record<string, string>;
  volumes?: Change[];
  phase?: string;
  terminating?: boolean;
  /** What the API server says of what it asks for; left out where it does not. */
  qosClass?: string;
  containers?: Change[] | undefined;
};

export function aPod(change: PodChange = {}): PodOnNode {
  const { name = 'web-1', namespace = 'shop', uid = `uid-of-${name}`, owner = 'ReplicaSet' } = change;
  return PodOnNode.parse({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      uid,
      annotations: change.annotations ?? {},
      ownerReferences: owner === null ? [] : [{ kind: owner, name: 'web', uid: 'x', controller: true }],
      ...(change.terminating ? { deletionTimestamp: '2026-11-28T06:29:50Z' } : {}),
    },
    spec: { containers: change.containers ?? [], volumes: change.volumes ?? [] },
    status: { phase: change.phase ?? 'Running', qosClass: change.qosClass },
  });
}
