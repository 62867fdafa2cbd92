import * as z from 'zod';

/** Where a node stands whose tags name no group, or that EC2 does not list. */
export const unknownPlace = 'unknown';

/** A node as the budget counts it. */
export type FleetNode = { instanceId: string; nodeGroup: string; zone: string };

/** Where a node stands, and how many nodes there are with it. */
export const Whereabouts = z.object({
  nodeGroup: z.string().max(300),
  zone: z.string().max(50),
  nodes: z.object({ cluster: z.int().nonnegative(), nodeGroup: z.int().nonnegative() }),
});
export type Whereabouts = z.infer<typeof Whereabouts>;

/**
 * Tags by which an instance says what makes and replaces it, the nearest first; the word keeps two of one name apart.
 * Managed node groups, Karpenter, EKS Auto Mode; every Auto Scaling group sets its own.
 */
const groupTags = [
  { key: 'eks:nodegroup-name', word: '' },
  { key: 'karpenter.sh/nodepool', word: 'nodepool/' },
  { key: 'eks:kubernetes-node-pool-name', word: 'nodepool/' },
  { key: 'aws:autoscaling:groupName', word: 'asg/' },
] as const;

/** The group of a node by its tags. */
export function nodeGroupOf(tags: readonly { key: string; value: string }[]): string {
  for (const { key, word } of groupTags) {
    const value = tags.find((tag) => tag.key === key)?.value ?? '';
    if (value !== '') return `${word}${value}`;
  }
  return unknownPlace;
}

/** Where a node stands among those of its cluster. One that is not among them counts to the group that nobody knows. */
export function whereaboutsOf(instanceId: string, nodes: readonly FleetNode[]): Whereabouts {
  const { nodeGroup, zone } = nodes.find((node) => node.instanceId === instanceId) ?? {
    nodeGroup: unknownPlace,
    zone: unknownPlace,
  };
  return {
    nodeGroup,
    zone,
    nodes: { cluster: nodes.length, nodeGroup: nodes.filter((node) => node.nodeGroup === nodeGroup).length },
  };
}
