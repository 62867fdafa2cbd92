import { KubernetesEvent, KubernetesNode, Pod } from '../../../../lambdas/domain/around/kubernetes.ts';

/** Now, in all tests of what is around a node. */
export const now = new Date('2026-11-21T06:30:00Z');

/** The time so many seconds before. */
export function ago(seconds: number): string {
  return new Date(now.getTime() - seconds * 1000).toISOString();
}

export const nodeName = 'ip-10-0-17-42.eu-central-1.compute.internal';

type Change = Record<string, unknown>;

export function aNode(change: { metadata?: Change; spec?: Change; status?: Change } = {}): KubernetesNode {
  return KubernetesNode.parse({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: nodeName,
      uid: 'node-uid',
      labels: {
        'eks.amazonaws.com/nodegroup': 'web',
        'node.kubernetes.io/instance-type': 'm6i.large',
        'kubernetes.io/arch': 'amd64',
      },
      managedFields: [],
      ...change.metadata,
    },
    spec: { providerID: 'aws:///eu-central-1a/i-0123456789abcdef0', ...change.spec },
    status: {
      capacity: { cpu: '2', memory: '8167944Ki', pods: '29', 'ephemeral-storage': '83873772Ki' },
      allocatable: { cpu: '1930m', memory: '7460360Ki', pods: '29' },
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'KubeletReady',
          message: 'kubelet is posting ready status',
          lastTransitionTime: ago(900),
        },
      ],
      nodeInfo: {
        kubeletVersion: 'v1.32.3-eks-473151a',
        osImage: 'Amazon Linux 2023.7.20250512',
        kernelVersion: '6.1.134-150.224.amzn2023.x86_64',
        containerRuntimeVersion: 'containerd://1.7.27',
        bootID: 'b',
      },
      images: [{ names: ['x'], sizeBytes: 1 }],
      ...change.status,
    },
  });
}

export type Resources = { requests?: Record<string, string>; limits?: Record<string, string> };

export type PodProps = {
  name?: string;
  uid?: string;
  owner?: { kind: string; name: string };
  containers?: { name: string; resources?: Resources }[];
  initContainers?: { name: string; restartPolicy?: string; resources?: Resources }[];
  overhead?: Record<string, string>;
  resources?: Resources;
  phase?: string;
  reason?: string;
  startedAgo?: number;
  deletedAgo?: number;
  statuses?: {
    name: string;
    restarts?: number;
    waiting?: string;
    ended?: { reason: string; ago: number };
    lastEnded?: { reason: string; ago: number };
  }[];
};

export function aPod(props: PodProps = {}): Pod {
  const {
    name = 'web-5f7d9c4b6d-2xk9p',
    uid = name,
    owner = { kind: 'ReplicaSet', name: 'web-5f7d9c4b6d' },
  } = props;
  return Pod.parse({
    metadata: {
      name,
      namespace: 'shop',
      uid,
      ownerReferences: [
        { kind: 'Audit', name: 'not-the-controller' },
        { ...owner, controller: true },
      ],
      ...(props.deletedAgo === undefined ? {} : { deletionTimestamp: ago(props.deletedAgo) }),
    },
    spec: {
      nodeName,
      containers: props.containers ?? [{ name: 'main' }],
      ...(props.initContainers === undefined ? {} : { initContainers: props.initContainers }),
      ...(props.overhead === undefined ? {} : { overhead: props.overhead }),
      ...(props.resources === undefined ? {} : { resources: props.resources }),
    },
    status: {
      phase: props.phase ?? 'Running',
      ...(props.reason === undefined ? {} : { reason: props.reason }),
      startTime: ago(props.startedAgo ?? 90_000),
      containerStatuses: (props.statuses ?? []).map((status) => ({
        name: status.name,
        restartCount: status.restarts ?? 0,
        state: {
          ...(status.waiting === undefined ? {} : { waiting: { reason: status.waiting } }),
          ...(status.ended === undefined
            ? {}
            : {
                terminated: { reason: status.ended.reason, exitCode: 1, finishedAt: ago(status.ended.ago) },
              }),
        },
        lastState:
          status.lastEnded === undefined
            ? {}
            : {
                terminated: {
                  reason: status.lastEnded.reason,
                  exitCode: 137,
                  finishedAt: ago(status.lastEnded.ago),
                },
              },
      })),
    },
  });
}

export type EventProps = {
  kind?: 'Node' | 'Pod';
  name?: string;
  uid?: string;
  reason: string;
  message?: string;
  count?: number;
  ago?: number | null;
  host?: string;
  series?: { count: number; ago: number };
};

export function anEvent(props: EventProps): KubernetesEvent {
  const { kind = 'Pod', name = kind === 'Node' ? nodeName : 'gone-pod', uid = name } = props;
  const at = props.ago === null ? null : ago(props.ago ?? 60);
  return KubernetesEvent.parse({
    metadata: { name: `${name}.1`, namespace: 'shop' },
    involvedObject: { kind, namespace: 'shop', name, uid },
    reason: props.reason,
    message: props.message ?? 'a message',
    type: 'Warning',
    // The new events API leaves these out, or null.
    ...(props.series === undefined
      ? { count: props.count ?? 1, lastTimestamp: at }
      : {
          lastTimestamp: null,
          series: { count: props.series.count, lastObservedTime: ago(props.series.ago) },
        }),
    source: { component: 'kubelet', ...(props.host === undefined ? {} : { host: props.host }) },
  });
}
