import { isIP } from 'node:net';
import { kubeletMetricsIn } from '../domain/around/kubelet-metrics.ts';
import type { KubernetesNode } from '../domain/around/kubernetes.ts';
import { failed, probeFrom } from '../domain/around/read.ts';
import type { AroundProbes } from '../domain/evidence/around-probes.ts';
import { type HttpsGetter, NoAnswerError } from './https-get.ts';
import { refusal } from './kubernetes-api.ts';

/** A kubelet with 110 pods has some 2 MB of metrics. */
const mostBytes = 24 * 1024 * 1024;

/**
 * Reads the metrics of a node's kubelet from the kubelet itself, which asks for the right `nodes/metrics` and no other.
 *
 * The token of this function goes to a server whose certificate the cluster's own authority has signed for that very
 * address, and to no other: a kubelet with a certificate that it has signed itself (`serverTLSBootstrap` off) could be
 * anybody who has taken over an address of the subnet. EKS signs the serving certificates of its nodes; where it does not, the metrics are a gap.
 */
export async function readKubeletMetrics(
  https: HttpsGetter,
  { status }: KubernetesNode,
  now: Date,
): Promise<AroundProbes['kubeletMetrics']> {
  const address = status.addresses.find(({ type }) => type === 'InternalIP')?.address;
  if (address === undefined) return failed('the API server names no internal address of this node');
  const port = status.daemonEndpoints.kubeletEndpoint?.Port ?? 10250;
  // Whoever is root on the node has a say in both, and an address that is none must not cost what others say of it.
  const version = isIP(address);
  const url = URL.parse(`https://${version === 6 ? `[${address}]` : address}:${port}/metrics`);
  if (version === 0 || url === null) {
    return failed(
      `this node has no address at which its kubelet could be asked: ${JSON.stringify(address)}, port ${port}`,
    );
  }
  try {
    const answer = await https.get(url, 'text/plain;version=0.0.4', mostBytes);
    if (answer.status !== 200)
      return failed(refusal(answer.status, answer.body, 'get nodes/metrics', { who: 'the kubelet' }));
    return probeFrom(kubeletMetricsIn(answer.body, now), (value) => value);
  } catch (error) {
    if (error instanceof NoAnswerError) return failed(`the kubelet: ${error.message}`);
    throw error;
  }
}
