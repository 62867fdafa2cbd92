import * as z from 'zod';
import { type ClusterProbes, readCluster } from '../adapters/cluster-reader.ts';
import { clusterToken, lambdaIdentity } from '../adapters/eks-token.ts';
import { ClusterQuestion } from '../adapters/find-node.ts';
import { instanceOfNode, type NodeAnswer, NodeQuestion } from '../adapters/node-instance.ts';
import { type MarksAnswer, MarksQuestion, marksOfNode } from '../adapters/node-marks.ts';

/** The longest that the API server and the kubelet have together; the function itself may run a little longer. */
const limitMs = 15_000;
/** The gates of an incident are asked within one function, and this is one of them. */
const marksMs = 8000;

// That of marks has all that a question about a node has, and more.
const Question = z.union([NodeQuestion, MarksQuestion, ClusterQuestion]);

/**
 * Asks the API server and a kubelet about one node, for its marks, or which instance one is, from within the cluster's VPC. It
 * calls no AWS service, so its subnets need no way to one: where the API server is comes with the question, and the token is
 * made here.
 */
export async function handler(input: unknown): Promise<ClusterProbes | NodeAnswer | MarksAnswer> {
  const question = Question.parse(input);
  const now = new Date();
  const token = await clusterToken(question.cluster, { ...lambdaIdentity(), now });
  if ('nodeName' in question) return instanceOfNode(question, token, limitMs);
  if ('label' in question) return marksOfNode(question, token, marksMs);
  return readCluster({ question, token, kubelet: true, limitMs, now });
}
