import * as z from 'zod';
import { instanceIdOf } from '../around/instance-node.ts';
import type { NodeToReplace, PodOnNode } from './objects.ts';

/** What was seen after the old node was handed over. `arrived`: a new one of the same owner, and whether pods can live there. */
export const Arrival = z.object({
  oldGone: z.boolean(),
  arrived: z.object({ node: z.string(), ready: z.boolean() }).nullable(),
});
export type Arrival = z.infer<typeof Arrival>;

/**
 * The nodes that may have come in the place of the old one, the newest first: instances of its group that came since.
 *
 * @param members the instances that the group has now
 */
export function newcomers(
  nodes: readonly NodeToReplace[],
  { instanceId, members, since }: { instanceId: string; members: readonly string[]; since: string },
): NodeToReplace[] {
  return nodes
    .filter((node) => {
      const id = instanceIdOf(node);
      return id !== undefined && id !== instanceId && members.includes(id);
    })
    .filter(({ metadata }) => Date.parse(metadata.creationTimestamp) >= Date.parse(since))
    .toSorted((a, b) => Date.parse(b.metadata.creationTimestamp) - Date.parse(a.metadata.creationTimestamp));
}

/** A node is one that pods can live on once it says so itself, takes new ones, and runs some. */
export function isOfUse({ metadata, spec, status }: NodeToReplace, pods: readonly PodOnNode[]): boolean {
  const ready = status.conditions.some(({ type, status: held }) => type === 'Ready' && held === 'True');
  const runs = pods.some((pod) => pod.status.phase === 'Running' && pod.metadata.deletionTimestamp == null);
  return ready && runs && !spec.unschedulable && metadata.deletionTimestamp == null;
}
