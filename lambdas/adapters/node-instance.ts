import * as z from 'zod';
import { instanceIdOf } from '../domain/around/instance-node.ts';
import { KubernetesNode } from '../domain/around/kubernetes.ts';
import { ClusterEndpoint } from './eks-cluster.ts';
import { HttpsGetter } from './https-get.ts';
import { KubernetesApi } from './kubernetes-api.ts';

/** Which node of which cluster is asked for, and where. */
export const NodeQuestion = z.object({
  cluster: z.string(),
  endpoint: ClusterEndpoint,
  nodeName: z.string(),
});
export type NodeQuestion = z.infer<typeof NodeQuestion>;

/** `null`: there is no such node, or no instance behind it. */
export const NodeAnswer = z.object({ instanceId: z.string().nullable() });
export type NodeAnswer = z.infer<typeof NodeAnswer>;

/**
 * The instance behind a node, by the provider id that the API server has for it.
 *
 * @throws ApiServerError where that did not answer, or refuses
 */
export async function instanceOfNode(
  { endpoint, nodeName }: NodeQuestion,
  token: string,
  limitMs: number,
): Promise<NodeAnswer> {
  const https = new HttpsGetter({ ca: endpoint.ca, token, signal: AbortSignal.timeout(limitMs) });
  try {
    const api = new KubernetesApi(endpoint.endpoint, https);
    const node = await api.get(`/api/v1/nodes/${encodeURIComponent(nodeName)}`, KubernetesNode, 'get nodes');
    return { instanceId: (node === undefined ? undefined : instanceIdOf(node)) ?? null };
  } finally {
    https.close();
  }
}
