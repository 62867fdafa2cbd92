import type { Figure } from '../domain/census/node-figures.ts';
import { embed } from './embedded-metrics.ts';

/**
 * The figures of some nodes of one cluster, by instance: a line in the log of the function for each, which CloudWatch makes
 * metrics of. The client of CloudWatch, for one call, would be a sixth of the function.
 *
 * @param at by our clock, not the node's: one that is wrong by hours would cost it its figures
 */
export function publishNodes(cluster: string, nodes: ReadonlyMap<string, readonly Figure[]>, at: Date): void {
  for (const [instanceId, figures] of nodes) {
    embed({ ClusterName: cluster, InstanceId: instanceId }, figures, at.getTime());
  }
}
