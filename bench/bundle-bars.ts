import type { BundleName } from '../cdk/function-names.ts';

/** These speak with the API server of a cluster, and with several services of AWS beside it. */
const clusterReaders: readonly BundleName[] = ['examine-around', 'ask-cluster'];

/** Most bytes that a function's code may have, without its source map; a KB is 1,000 bytes here. */
export function mostBytes(name: BundleName): number {
  return clusterReaders.includes(name) ? 2_500_000 : 600_000;
}

/**
 * Most of the init of the naive bundle that ours may take. Those that speak with a cluster are held to their size alone: half of the little that
 * the one in the VPC has to do is that Node loads its own TLS, for either bundle.
 */
export function mostInit(name: BundleName): number {
  return clusterReaders.includes(name) ? 1 : 0.6;
}
