import type { BundleName } from '../cdk/function-names.ts';

/** Speaks with the API server of a cluster and nothing else, from within its VPC. */
const clusterReaders: readonly BundleName[] = ['ask-cluster'];

/** Ask everybody: DynamoDB, Systems Manager, EC2, EKS, the API server of a cluster, and the function in its VPC. */
const gatekeepers: readonly BundleName[] = ['gate', 'recheck'];

/** Most bytes that a function's code may have, without its source map; a KB is 1,000 bytes here. */
export function mostBytes(name: BundleName): number {
  if (clusterReaders.includes(name)) return 2_500_000;
  return gatekeepers.includes(name) ? 800_000 : 600_000;
}

/**
 * Most of the init of the naive bundle that ours may take. The one in the VPC is held to its size alone: half of the little that
 * it has to do is that Node loads its own TLS, for either bundle.
 */
export function mostInit(name: BundleName): number {
  return clusterReaders.includes(name) ? 1 : 0.6;
}
