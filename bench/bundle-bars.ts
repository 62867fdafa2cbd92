import type { BundleName } from '../cdk/function-names.ts';

/** They speak with the API server of a cluster and nothing else, from within its VPC. */
const ofApiServers: readonly BundleName[] = ['ask-cluster', 'change-node'];

/** Ask everybody: DynamoDB, Systems Manager, EC2, EKS, the API server of a cluster, and the function in its VPC. */
const gatekeepers: readonly BundleName[] = ['gate', 'recheck'];

/** Change a node in its cluster, or take such a change back: by EKS, which knows where that is, and the function that may do it, beside all that a phase needs. */
const changers: readonly BundleName[] = ['replace-step', 'send-undo', 'close', 'janitor'];

/** Most bytes that a function's code may have, without its source map; a KB is 1,000 bytes here. */
export function mostBytes(name: BundleName): number {
  if (ofApiServers.includes(name)) return 2_500_000;
  return gatekeepers.includes(name) || changers.includes(name) ? 800_000 : 600_000;
}

/**
 * Most of the init of the naive bundle that ours may take. Those of a VPC are held to their size alone: half of the little that
 * they have to do is that Node loads its own TLS, for either bundle.
 */
export function mostInit(name: BundleName): number {
  return ofApiServers.includes(name) ? 1 : 0.6;
}
