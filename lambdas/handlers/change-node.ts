import { type CordonedAnswer, CordonedQuestion, cordonedNodes } from '../adapters/cordoned-nodes.ts';
import { clusterToken, lambdaIdentity } from '../adapters/eks-token.ts';
import {
  changeNode,
  type NodeChange,
  type NodeChangeAnswer,
  NodeChangeRequest,
} from '../adapters/node-change.ts';

/** The longest that the API server has for one change; the function itself may run a little longer. */
const limitMs = 20_000;

/**
 * Does one thing about a node in its cluster, or says which nodes have a cordon of ours. It calls no AWS service and knows no other cluster: where the API server is comes with
 * the request, and the token is made here. It keeps nothing: whoever calls it writes down before what it is to do.
 */
export async function handler(input: unknown): Promise<NodeChangeAnswer[NodeChange['do']] | CordonedAnswer> {
  const request = CordonedQuestion.or(NodeChangeRequest).parse(input);
  const now = new Date();
  const token = await clusterToken(request.cluster, { ...lambdaIdentity(), now });
  if ('do' in request) return cordonedNodes(request, token, limitMs);
  return changeNode({ request, token, limitMs, now });
}
