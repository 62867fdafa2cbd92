import type { Pod } from './kubernetes.ts';
import { quantity } from './quantity.ts';

type Kind = 'requests' | 'limits';
type Container = Pod['spec']['containers'][number];

/**
 * What the scheduler counts for a pod: its containers and sidecars together, or the init container that needs the most
 * beside the sidecars started before it, whichever is more; and its overhead. A pod that says it for itself as a whole is
 * taken at its word. In the unit of the resource; what has no request or limit counts as nothing.
 */
export function effective({ spec }: Pod, kind: Kind, resource: string): number {
  const of = (container: { resources: Container['resources'] }) =>
    quantity(container.resources[kind][resource]) ?? 0;
  let sidecars = 0;
  let beforeStart = 0;
  for (const container of spec.initContainers) {
    if (isSidecar(container)) sidecars += of(container);
    beforeStart = Math.max(beforeStart, sidecars + (isSidecar(container) ? 0 : of(container)));
  }
  const running = spec.containers.reduce((sum, container) => sum + of(container), sidecars);
  const overhead = quantity(spec.overhead[resource]) ?? 0;
  return (quantity(spec.resources[kind][resource]) ?? Math.max(running, beforeStart)) + overhead;
}

/** Whether any container that stays may use as much of the resource as the node has. */
export function isUnlimited({ spec }: Pod, resource: string): boolean {
  if (spec.resources.limits[resource] !== undefined) return false;
  return [...spec.containers, ...spec.initContainers.filter(isSidecar)].some(
    ({ resources }) => resources.limits[resource] === undefined,
  );
}

function isSidecar({ restartPolicy }: Container): boolean {
  return restartPolicy === 'Always';
}
