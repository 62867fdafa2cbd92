import { instanceIdOf } from '../around/instance-node.ts';
import { given } from '../around/read.ts';
import type { Replacement } from '../settings/replacement.ts';
import type { NodeToReplace } from './objects.ts';

/** Taints by which others say that they are taking a node away. */
const leavingTaints = [
  'karpenter.sh/disrupted',
  // Before version 1 of Karpenter.
  'karpenter.sh/disruption',
  'ToBeDeletedByClusterAutoscaler',
];

/** Annotations by which a person says that nobody shall take it away. */
const keepIt: Readonly<Record<string, string>> = {
  'karpenter.sh/do-not-disrupt': 'true',
  'cluster-autoscaler.kubernetes.io/scale-down-disabled': 'true',
};

/** Why a node is not to be drained at all, from the node itself; `undefined` where nothing speaks against it. */
export function whyNotReplace(
  node: NodeToReplace,
  {
    instanceId,
    now,
    settings,
  }: { instanceId: string; now: Date; settings: Pick<Replacement, 'leastAgeMinutes'> },
): string | undefined {
  const { metadata, spec } = node;
  const behind = instanceIdOf(node);
  if (behind !== instanceId) {
    return `the node ${given(metadata.name)} is ${behind ?? 'of no instance'}, and not of ${instanceId}`;
  }
  if (metadata.deletionTimestamp != null) return 'somebody is deleting it already';
  const taint = spec.taints.find(({ key }) => leavingTaints.includes(key));
  if (taint !== undefined) return `somebody is taking it away already: it has the taint ${taint.key}`;
  const kept = Object.entries(keepIt).find(([key, value]) => metadata.annotations[key] === value);
  if (kept !== undefined) return `it says ${kept.join(': ')}`;
  const minutes = (now.getTime() - Date.parse(metadata.creationTimestamp)) / 60_000;
  // Also one that, by the clock of the API server, is not there yet.
  if (minutes < settings.leastAgeMinutes) {
    return `it is ${Math.max(0, Math.floor(minutes))} min old, and one younger than ${settings.leastAgeMinutes} min is not replaced (replacement.leastAgeMinutes)`;
  }
  return undefined;
}
