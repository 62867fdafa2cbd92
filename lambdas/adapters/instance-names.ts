import * as z from 'zod';
import { describeInstances } from './ec2-instances.ts';

const Instance = z.object({ privateDnsName: z.string().default('') });

/** Names that EKS gives to the node of an instance: the private DNS name that EC2 says it has, or its id. Throws as `ec2Query`. */
export async function nodeNamesOf(instanceId: string): Promise<string[]> {
  const { instances } = await describeInstances(Instance, { 'instance-id': [instanceId] });
  return [...new Set([instances[0]?.privateDnsName ?? '', instanceId])].filter((name) => name !== '');
}
