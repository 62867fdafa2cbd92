import type * as z from 'zod';
import { nodeEventsOf } from '../domain/around/events.ts';
import { fitting } from '../domain/around/fitting.ts';
import { KubernetesEvent, KubernetesNode, Pod, PodCertificateRequest } from '../domain/around/kubernetes.ts';
import { nodeStatusOf } from '../domain/around/node-status.ts';
import { podStatusOf } from '../domain/around/pod-status.ts';
import { failed, notHere, probeFrom, type Read } from '../domain/around/read.ts';
import { AroundProbes } from '../domain/evidence/around-probes.ts';
import { type ClusterQuestion, findNode } from './find-node.ts';
import { HttpsGetter } from './https-get.ts';
import { readKubeletMetrics } from './kubelet-endpoint.ts';
import { KubernetesApi, reading } from './kubernetes-api.ts';

/** What the API server and the kubelet tell. */
export const ClusterProbes = AroundProbes.pick({
  nodeStatus: true,
  podStatus: true,
  nodeEvents: true,
  kubeletMetrics: true,
});
export type ClusterProbes = z.infer<typeof ClusterProbes>;

/** The same gap for all that a cluster could have told. */
export function clusterGap(reason: string, gapWith: typeof failed | typeof notHere = failed): ClusterProbes {
  const gap = gapWith(reason);
  return { nodeStatus: gap, podStatus: gap, nodeEvents: gap, kubeletMetrics: gap };
}

export interface ReadClusterProps {
  readonly question: ClusterQuestion;
  readonly token: string;
  /** Whether the node's own address can be reached from here. */
  readonly kubelet: boolean;
  readonly limitMs: number;
  readonly now: Date;
}

/** Everything that is read of one node from its cluster, within a time limit; each part that is refused is a gap of its own. */
export async function readCluster(props: ReadClusterProps): Promise<ClusterProbes> {
  const { question, token, kubelet, limitMs, now } = props;
  const https = new HttpsGetter({ ca: question.endpoint.ca, token, signal: AbortSignal.timeout(limitMs) });
  try {
    const api = new KubernetesApi(question.endpoint.endpoint, https);
    const found = await reading(findNode(api, question, KubernetesNode), { gap: `no such thing as a node` });
    if ('gap' in found) return clusterGap(found.gap);
    const node = found.value;
    if (node === null) {
      const more = found.partial === undefined ? '' : ` (${found.partial})`;
      return clusterGap(
        `no node of ${question.cluster} has the provider id of ${question.instanceId}${more}`,
      );
    }
    const { name } = node.metadata;
    const [pods, ofNode, warnings, killings, certificateRequests, kubeletMetrics] = await Promise.all([
      reading(podsOf(api, name), absent('pods')),
      reading(eventsOf(api, `involvedObject.kind=Node,involvedObject.name=${name}`), absent('events')),
      reading(eventsOf(api, 'involvedObject.kind=Pod,type=Warning'), absent('events')),
      reading(eventsOf(api, 'involvedObject.kind=Pod,reason=Killing'), absent('events')),
      reading(certificateRequestsOf(api), { value: [] }),
      kubelet
        ? readKubeletMetrics(https, node, now)
        : notHere(
            `a kubelet is asked from within its VPC only: set clusters.${question.cluster}.api.access to vpc`,
          ),
    ]);
    return fitting<ClusterProbes>({
      nodeStatus: { status: 'ok', value: nodeStatusOf(node, pods, now) },
      podStatus: probeFrom(pods, (all) =>
        podStatusOf(
          { pods: all, partial: partialOf(pods), warnings, killings, certificateRequests },
          name,
          now,
        ),
      ),
      nodeEvents: probeFrom(ofNode, (events) =>
        nodeEventsOf(
          {
            ofNode: events,
            partial: partialOf(ofNode),
            ofPods: warnings,
            pods: 'gap' in pods ? [] : pods.value,
          },
          name,
          now,
        ),
      ),
      kubeletMetrics,
    });
  } finally {
    https.close();
  }
}

function podsOf(api: KubernetesApi, node: string) {
  return api.list({
    path: '/api/v1/pods',
    item: Pod,
    right: 'list pods',
    fieldSelector: `spec.nodeName=${node}`,
    pageSize: 250,
    maxPages: 4,
  });
}

/** No field of an event selects those of one node's pods, so those of all pods are read, up to a bound. */
function eventsOf(api: KubernetesApi, fieldSelector: string) {
  return api.list({
    path: '/api/v1/events',
    item: KubernetesEvent,
    right: 'list events',
    fieldSelector,
    pageSize: 500,
    maxPages: 4,
  });
}

/** The newest version first; an API server that has none of them has no such requests either. */
async function certificateRequestsOf(api: KubernetesApi) {
  for (const version of ['v1', 'v1beta1', 'v1alpha1']) {
    const list = await api.list({
      path: `/apis/certificates.k8s.io/${version}/podcertificaterequests`,
      item: PodCertificateRequest,
      right: 'list podcertificaterequests',
      pageSize: 500,
      maxPages: 4,
    });
    if (list !== undefined) return list;
  }
  return undefined;
}

function partialOf(read: Read<unknown>): string | undefined {
  return 'gap' in read ? undefined : read.partial;
}

function absent(what: string): Read<never> {
  return { gap: `the API server knows no ${what}` };
}
