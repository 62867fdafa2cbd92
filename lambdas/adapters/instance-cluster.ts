import { nodeGroupOf } from '../domain/gates/fleet.ts';
import { describeTags } from './ec2-query.ts';

/** The tag by which an instance says to which cluster it belongs; EKS sets it on the nodes of managed node groups. */
export const clusterTag = 'eks:cluster-name';

/** What the tags of an instance say of its place. */
export type InstancePlace = {
  /** `undefined` where it has no tag of a cluster. */
  cluster: string | undefined;
  nodeGroup: string;
};

/** The cluster and the node group that an instance belongs to by its tags. */
export async function placeOf(instanceId: string): Promise<InstancePlace> {
  const all = await describeTags({ 'resource-id': [instanceId] });
  return placeIn(all.filter(({ resourceId }) => resourceId === instanceId));
}

/** @param tags all of one instance */
export function placeIn(tags: readonly { key: string; value: string }[]): InstancePlace {
  return { cluster: tags.find(({ key }) => key === clusterTag)?.value, nodeGroup: nodeGroupOf(tags) };
}
