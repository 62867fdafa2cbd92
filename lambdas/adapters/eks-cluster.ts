import { DescribeClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import * as z from 'zod';
import { impatient } from './impatient.ts';
import { MedicError } from './medic-error.ts';

/** Where the API server of a cluster is, and who has signed its certificate (PEM). */
export const ClusterEndpoint = z.object({ endpoint: z.url({ protocol: /^https$/ }), ca: z.string().min(1) });
export type ClusterEndpoint = z.infer<typeof ClusterEndpoint>;

/**
 * Asks EKS where the API server of a cluster is.
 *
 * @param fromOutside whether it is to be asked from outside of its VPC
 * @throws MedicError where it has no endpoint yet, or none that can be reached from there
 */
export async function clusterEndpoint(name: string, fromOutside: boolean): Promise<ClusterEndpoint> {
  const { cluster } = await new EKSClient(impatient).send(new DescribeClusterCommand({ name }));
  if (fromOutside && cluster?.resourcesVpcConfig?.endpointPublicAccess === false) {
    throw new MedicError(
      `the API server of ${name} has no public endpoint: set clusters.${name}.api.access to vpc`,
    );
  }
  const parsed = ClusterEndpoint.safeParse({
    endpoint: cluster?.endpoint,
    ca: Buffer.from(cluster?.certificateAuthority?.data ?? '', 'base64').toString('utf8'),
  });
  if (!parsed.success) {
    throw new MedicError(
      `EKS names no endpoint and certificate authority of ${name} (status ${cluster?.status})`,
    );
  }
  return parsed.data;
}
