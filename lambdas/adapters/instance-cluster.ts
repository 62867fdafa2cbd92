import { DescribeTagsCommand, type EC2Client } from '@aws-sdk/client-ec2';

/** The tag by which an instance says to which cluster it belongs; EKS sets it on the nodes of managed node groups. */
export const clusterTag = 'eks:cluster-name';

/** The cluster that an instance belongs to by its tag, or `undefined` where it has none. */
export async function clusterOf(client: EC2Client, instanceId: string): Promise<string | undefined> {
  const { Tags } = await client.send(
    new DescribeTagsCommand({
      Filters: [
        { Name: 'resource-id', Values: [instanceId] },
        { Name: 'key', Values: [clusterTag] },
      ],
    }),
  );
  return Tags?.find(({ Key, ResourceId }) => Key === clusterTag && ResourceId === instanceId)?.Value;
}
