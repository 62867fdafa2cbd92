import type { LambdaClient } from '@aws-sdk/client-lambda';
import { clusterEndpoint } from '../adapters/eks-cluster.ts';
import { clusterToken, lambdaIdentity } from '../adapters/eks-token.ts';
import { environment } from '../adapters/environment.ts';
import type { ClusterQuestion } from '../adapters/find-node.ts';
import { nodeNamesOf } from '../adapters/instance-names.ts';
import { vpcReader } from '../adapters/vpc-reader.ts';
import type { Cluster } from '../domain/settings.ts';

export interface AskClusterProps<T> {
  readonly cluster: string;
  readonly access: Exclude<Cluster['api']['access'], 'none'>;
  readonly instanceId: string;
  readonly now: Date;
  /** How long the function in the VPC may take. */
  readonly limitMs: number;
  /** Asks the API server from here. */
  here(question: ClusterQuestion, token: string): Promise<T>;
  /** Has the function in the VPC ask it. */
  inVpc(lambda: LambdaClient, functionName: string, question: ClusterQuestion): Promise<T>;
}

/** Asks a cluster about one of its nodes, by the way to it that the settings open. */
export async function askCluster<T>(props: AskClusterProps<T>): Promise<T> {
  const { cluster, access, instanceId, now, limitMs, here, inVpc } = props;
  const [endpoint, names] = await Promise.all([
    clusterEndpoint(cluster, access === 'public'),
    // Only a guess that spares reading the list of all nodes.
    nodeNamesOf(instanceId).catch(() => []),
  ]);
  const question = { cluster, endpoint, instanceId, names };
  if (access === 'vpc') {
    const { lambda, functionName } = vpcReader(environment().CLUSTER_READERS, cluster, limitMs);
    return inVpc(lambda, functionName, question);
  }
  const token = await clusterToken(cluster, { ...lambdaIdentity(), now });
  return here(question, token);
}
