import type { KubernetesNode } from './kubernetes.ts';

/**
 * The EC2 instance behind a node, from its provider id `aws:///ZONE/INSTANCE`; `undefined` for what is none (Fargate, a
 * hybrid node). Names of nodes are never taken apart: what they are made of is a setting of the cluster.
 */
export function instanceIdOf({
  spec,
}: {
  spec: Pick<KubernetesNode['spec'], 'providerID'>;
}): string | undefined {
  return /^aws:\/\/\/[a-z0-9-]+\/(i-[0-9a-f]{8,17})$/.exec(spec.providerID)?.[1];
}
