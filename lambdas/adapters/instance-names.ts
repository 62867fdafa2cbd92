import { DescribeInstancesCommand, type EC2Client } from '@aws-sdk/client-ec2';

/** Names that EKS gives to the node of an instance: the private DNS name that EC2 says it has, or its id. */
export async function nodeNamesOf(client: EC2Client, instanceId: string): Promise<string[]> {
  const { Reservations } = await client.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
  const instance = Reservations?.flatMap(({ Instances }) => Instances ?? []).at(0);
  return [...new Set([instance?.PrivateDnsName ?? '', instanceId])].filter((name) => name !== '');
}
