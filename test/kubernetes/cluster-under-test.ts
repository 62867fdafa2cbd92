import type { ClusterEndpoint } from '../../lambdas/adapters/eks-cluster.ts';
import type { Front } from './front.ts';

export const instanceId = 'i-0123456789abcdef0';

/** What a test reads of its node. */
export type NodeNow = { annotations: Record<string, string>; unschedulable: boolean };

/** A pod that runs on the node of the test. Its owner is a ReplicaSet unless something else is said. */
export type PodWanted = { name: string; owner?: 'ReplicaSet' | 'DaemonSet' };

/**
 * An API server with one node, empty, for one test: the stand-in of `npm start`, or a real one. What the medic does goes
 * through `front`; the rest is what other people and controllers do meanwhile.
 */
export interface ClusterUnderTest {
  readonly node: string;
  readonly namespace: string;
  readonly front: Front;
  endpoint(): ClusterEndpoint;
  nodeNow(): Promise<NodeNow>;
  /** Somebody else changes the node: `null` takes an annotation away. */
  touch(change?: { annotations?: Record<string, string | null>; unschedulable?: boolean }): Promise<void>;
  run(pods: readonly PodWanted[]): Promise<void>;
  /** The uid of a pod. */
  uidOf(pod: string): Promise<string>;
  /** A budget for these pods that allows so many evictions now; of one that is there already, what it allows. */
  allow(budget: string, pods: readonly string[], evictions: number): Promise<void>;
  /** A budget has changed, and what it allows now is not known to the API server yet. */
  loseSight(budget: string): Promise<void>;
  /** A pod has done its work. */
  finish(pod: string): Promise<void>;
  /** A NodeClaim of Karpenter, for that instance, which Karpenter lets nobody take away before its node has gone. */
  makeClaim(name: string, of: string): Promise<void>;
  isClaimLeaving(name: string): Promise<boolean>;
  /** Pods that are on their way out, or gone. */
  leaving(): Promise<string[]>;
  /** What a kubelet does: pods that are on their way out are gone then. */
  endLeaving(): Promise<void>;
  close(): Promise<void>;
}
