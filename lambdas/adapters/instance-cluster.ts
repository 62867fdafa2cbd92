import { describeTags } from './ec2-query.ts';

/** The tag by which an instance says to which cluster it belongs; EKS sets it on the nodes of managed node groups. */
export const clusterTag = 'eks:cluster-name';

/** The cluster that an instance belongs to by its tag, or `undefined` where it has none. */
export async function clusterOf(instanceId: string): Promise<string | undefined> {
  const tags = await describeTags({ 'resource-id': [instanceId], key: [clusterTag] });
  return tags.find(({ key, resourceId }) => key === clusterTag && resourceId === instanceId)?.value;
}
