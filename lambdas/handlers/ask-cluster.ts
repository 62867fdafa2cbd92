import * as z from 'zod';
import { type ClusterProbes, ClusterQuestion, readCluster } from '../adapters/cluster-reader.ts';
import { clusterToken, lambdaIdentity } from '../adapters/eks-token.ts';
import { instanceOfNode, type NodeAnswer, NodeQuestion } from '../adapters/node-instance.ts';

/** The longest that the API server and the kubelet have together; the function itself may run a little longer. */
const limitMs = 15_000;

const Question = z.union([NodeQuestion, ClusterQuestion]);

/**
 * Asks the API server and a kubelet about one node, or which instance one is, from within the cluster's VPC. It calls no AWS service, so its subnets
 * need no way to one: where the API server is comes with the question, and the token is made here.
 */
export async function handler(input: unknown): Promise<ClusterProbes | NodeAnswer> {
  const question = Question.parse(input);
  const now = new Date();
  const token = await clusterToken(question.cluster, { ...lambdaIdentity(), now });
  if ('nodeName' in question) return instanceOfNode(question, token, limitMs);
  return readCluster({ question, token, kubelet: true, limitMs, now });
}
