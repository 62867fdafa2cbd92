import { describeTags } from './ec2-query.ts';
import { clusterTag } from './instance-cluster.ts';
import { MedicError } from './medic-error.ts';

/**
 * The value of an instance's tag; `null` where it has none. The tag that every node has is asked for with it: where that is not
 * in the answer, EC2 does not speak of this instance, and then its silence on the other means nothing.
 *
 * @throws where EC2 refuses, or does not know the instance as a node
 */
export async function vetoTagOf(instanceId: string, key: string): Promise<string | null> {
  const tags = (await describeTags({ 'resource-id': [instanceId], key: [clusterTag, key] })).filter(
    ({ resourceId }) => resourceId === instanceId,
  );
  const veto = tags.find((tag) => tag.key === key);
  if (veto !== undefined) return veto.value;
  if (tags.some((tag) => tag.key === clusterTag)) return null;
  throw new MedicError(`EC2 knows no tag ${clusterTag} of ${instanceId} any more`);
}
