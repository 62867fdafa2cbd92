import * as z from 'zod';

export const InstanceId = z.string().regex(/^i-[0-9a-f]{8,17}$/);

/** quick: totals, every few minutes. full: everything, once a week. */
export const CensusProfile = z.enum(['quick', 'full']);
export type CensusProfile = z.infer<typeof CensusProfile>;

/** A node of a cluster, as EC2 knows it. */
export type ClusterNode = { instanceId: string; name?: string; launchedAt: Date };

/** A new instance needs so long to boot and to register its agent: until then its silence says nothing. */
const settleSeconds = 600;

/**
 * The nodes that a run is about: those that could have been asked, and those that have answered. What runs and does not
 * answer is among them, whatever SSM knows of it: nobody is left out for being silent.
 */
export function nodesAsked(
  running: readonly ClusterNode[],
  answered: readonly string[],
  startedAt: Date,
): { asked: ClusterNode[]; silent: ClusterNode[] } {
  const heard = new Set(answered);
  const bornBefore = startedAt.getTime() - settleSeconds * 1000;
  const asked = running.filter(
    ({ instanceId, launchedAt }) => heard.has(instanceId) || launchedAt.getTime() <= bornBefore,
  );
  return { asked, silent: asked.filter(({ instanceId }) => !heard.has(instanceId)) };
}
