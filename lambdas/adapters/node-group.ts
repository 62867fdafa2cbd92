import { DescribeNodegroupCommand, EKSClient, ResourceNotFoundException } from '@aws-sdk/client-eks';
import type { NodeGroupNow } from '../domain/replacement/others-at-work.ts';
import { impatient } from './impatient.ts';
import { MedicError } from './medic-error.ts';

/**
 * Asks EKS how a managed node group is; `undefined` where there is none.
 *
 * @throws MedicError where the answer says no status, and whatever the client throws
 */
export async function nodeGroupNow(
  clusterName: string,
  nodegroupName: string,
): Promise<NodeGroupNow | undefined> {
  try {
    const { nodegroup } = await new EKSClient(impatient).send(
      new DescribeNodegroupCommand({ clusterName, nodegroupName }),
    );
    if (nodegroup?.status === undefined) {
      throw new MedicError(`EKS does not say the status of the node group ${nodegroupName}`);
    }
    return {
      status: nodegroup.status,
      issues: (nodegroup.health?.issues ?? []).flatMap(({ code }) => (code === undefined ? [] : [code])),
      repairs: nodegroup.nodeRepairConfig?.enabled === true,
    };
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}
