import * as z from 'zod';
import { instanceIdOf } from '../domain/around/instance-node.ts';
import { cordonAnnotation } from '../domain/replacement/cordon.ts';
import { CordonedNode } from '../domain/replacement/forgotten-cordon.ts';
import { NodeToReplace } from '../domain/replacement/objects.ts';
import { ClusterEndpoint } from './eks-cluster.ts';
import { HttpsGetter } from './https-get.ts';
import { ApiServerError, KubernetesApi } from './kubernetes-api.ts';

/** Which nodes of a cluster have a cordon of ours. */
export const CordonedQuestion = z.object({
  do: z.literal('cordoned'),
  cluster: z.string(),
  endpoint: ClusterEndpoint,
});
export type CordonedQuestion = z.infer<typeof CordonedQuestion>;

export const CordonedAnswer = z.object({
  nodes: z.array(CordonedNode),
  /** Not all nodes were read, and why. */
  partial: z.string().optional(),
});
export type CordonedAnswer = z.infer<typeof CordonedAnswer>;

/**
 * Lists the nodes with our annotation, whatever it says.
 *
 * @throws ApiServerError where they cannot be listed
 */
export async function cordonedNodes(
  { endpoint }: CordonedQuestion,
  token: string,
  limitMs: number,
): Promise<CordonedAnswer> {
  const https = new HttpsGetter({ ca: endpoint.ca, token, signal: AbortSignal.timeout(limitMs) });
  try {
    const all = await new KubernetesApi(endpoint.endpoint, https).list({
      path: '/api/v1/nodes',
      item: NodeToReplace,
      right: 'list nodes',
      pageSize: 100,
      maxPages: 50,
    });
    if (all === undefined) throw new ApiServerError('the API server knows no nodes');
    const nodes = all.value.flatMap((node): CordonedNode[] => {
      const incident = node.metadata.annotations[cordonAnnotation];
      if (incident === undefined) return [];
      return [
        {
          node: node.metadata.name,
          instanceId: instanceIdOf(node) ?? null,
          incident,
          unschedulable: node.spec.unschedulable,
        },
      ];
    });
    return { nodes, ...(all.partial === undefined ? {} : { partial: all.partial }) };
  } finally {
    https.close();
  }
}
