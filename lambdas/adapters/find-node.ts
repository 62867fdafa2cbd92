import * as z from 'zod';
import { instanceIdOf } from '../domain/around/instance-node.ts';
import { KubernetesNode } from '../domain/around/kubernetes.ts';
import { ClusterEndpoint } from './eks-cluster.ts';
import type { KubernetesApi } from './kubernetes-api.ts';

/** Which node is asked about, and where. */
export const ClusterQuestion = z.object({
  cluster: z.string(),
  endpoint: ClusterEndpoint,
  instanceId: z.string(),
  /** Names that the node may have. A guess that spares reading all nodes: it counts only if the provider id is the instance's. */
  names: z.array(z.string()).max(5),
});
export type ClusterQuestion = z.infer<typeof ClusterQuestion>;

/** The node of the instance, by its provider id: first among the names it may have, then among all nodes. */
export async function findNode(
  api: KubernetesApi,
  { instanceId, names }: ClusterQuestion,
): Promise<{ value: KubernetesNode | null; partial?: string }> {
  const isIt = (node: KubernetesNode): boolean => instanceIdOf(node) === instanceId;
  for (const name of names) {
    const node = await api.get(`/api/v1/nodes/${encodeURIComponent(name)}`, KubernetesNode, 'get nodes');
    if (node !== undefined && isIt(node)) return { value: node };
  }
  const list = await api.list({
    path: '/api/v1/nodes',
    item: KubernetesNode,
    right: 'list nodes',
    pageSize: 100,
    maxPages: 50,
    until: isIt,
  });
  const node = list?.value.find(isIt) ?? null;
  return node !== null || list?.partial === undefined
    ? { value: node }
    : { value: node, partial: list.partial };
}
