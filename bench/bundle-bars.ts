import type { BundleName } from '../cdk/function-names.ts';

/** These speak with the API server of a cluster, and with several services of AWS beside it. */
const clusterReaders: readonly BundleName[] = ['examine-around', 'ask-cluster'];

/** Most bytes that a function's code may have, without its source map; a KB is 1,000 bytes here. */
export function mostBytes(name: BundleName): number {
  return clusterReaders.includes(name) ? 2_500_000 : 600_000;
}

/** Most of the init of the naive bundle that ours may take. */
export const mostInit = 0.6;
