import { clusterEndpoint } from '../adapters/eks-cluster.ts';
import { environment } from '../adapters/environment.ts';
import type { NodeChange, NodeChangeAnswer } from '../adapters/node-change.ts';
import { changerOf, changeThrough } from '../adapters/node-changer.ts';
import { settings } from '../adapters/settings-file.ts';

/** By which a node of an incident is changed in its cluster. */
export type Changer = <C extends NodeChange>(change: C) => Promise<NodeChangeAnswer[C['do']]>;

/**
 * The way by which a node is changed. Every call asks EKS where the API server is, and throws where nobody knows what became of it.
 *
 * @throws MedicError where nobody may change nodes of this cluster
 */
export function changerFor(node: { cluster: string; instanceId: string; incident: string }): Changer {
  const { clusters } = settings();
  const functionName = changerOf(environment().CLUSTER_CHANGERS, node.cluster);
  const cluster = Object.hasOwn(clusters, node.cluster) ? clusters[node.cluster] : undefined;
  return async (change) => {
    const endpoint = await clusterEndpoint(node.cluster, cluster?.api.access === 'public');
    return changeThrough(functionName, { ...node, endpoint }, change);
  };
}
