import * as z from 'zod';
import { instanceIdOf } from '../domain/around/instance-node.ts';
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

type AnyNode = { metadata: { name: string }; spec: { providerID: string } };

/**
 * The node of the instance, by its provider id: first among the names it may have, then among all nodes. `null` for none;
 * with `partial`, not all nodes were read.
 *
 * @throws ApiServerError
 */
export async function findNode<T extends AnyNode>(
  api: KubernetesApi,
  { instanceId, names }: Pick<ClusterQuestion, 'instanceId' | 'names'>,
  schema: z.ZodType<T>,
): Promise<{ value: T | null; partial?: string }> {
  const isIt = (node: T): boolean => instanceIdOf(node) === instanceId;
  for (const name of names) {
    const node = await nodeNamed(api, name, schema);
    if (node !== undefined && isIt(node)) return { value: node };
  }
  const list = await api.list({
    path: '/api/v1/nodes',
    item: schema,
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

/** The node of that name, if there is one; throws as `findNode`. */
export function nodeNamed<T extends AnyNode>(
  api: KubernetesApi,
  name: string,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  return api.get(`/api/v1/nodes/${encodeURIComponent(name)}`, schema, 'get nodes');
}
