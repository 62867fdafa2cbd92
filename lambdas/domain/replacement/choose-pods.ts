import type { PodOnNode } from './objects.ts';
import type { ReliefState } from './relief.ts';
import { type PodPolicy, sortPods } from './sort-pods.ts';

/**
 * The pods that a relief is about, by uid: those that the drain of the node would evict as well, the ones that ask for nothing
 * first. A pod of which it is not told what it asks for stays.
 */
export function choosePods(
  pods: readonly PodOnNode[],
  policy: PodPolicy,
  { pods: kind, most }: Pick<ReliefState, 'pods' | 'most'>,
): string[] {
  const mayGo = new Set(sortPods(pods, policy).evict.map(({ uid }) => uid));
  const among = pods.filter(({ metadata }) => mayGo.has(metadata.uid));
  const bestEffort = among.filter(isBestEffort);
  const unlimited = kind === 'without-limits' ? among.filter((pod) => isUnlimited(pod)) : [];
  return [...bestEffort, ...unlimited].map(({ metadata }) => metadata.uid).slice(0, most);
}

function isBestEffort({ status }: PodOnNode): boolean {
  return status.qosClass === 'BestEffort';
}

function isUnlimited({ spec, status }: PodOnNode): boolean {
  const { containers } = spec;
  if (status.qosClass !== 'Burstable' || containers === undefined) return false;
  return containers.some(({ resources }) => resources?.limits?.memory === undefined);
}
