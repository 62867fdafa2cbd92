import { instanceIdOf } from '../around/instance-node.ts';
import { given } from '../around/read.ts';
import { leavingTaints } from '../gates/others-gate.ts';
import type { Replacement } from '../settings/replacement.ts';
import type { NodeToReplace } from './objects.ts';

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
  const by = leavingTaints.find(({ key }) => spec.taints.some((taint) => taint.key === key));
  if (by !== undefined) return `it is being taken away by ${by.who} (taint ${by.key})`;
  const kept = Object.entries(keepIt).find(([key, value]) => metadata.annotations[key] === value);
  if (kept !== undefined) return `it says ${kept.join(': ')}`;
  const minutes = (now.getTime() - Date.parse(metadata.creationTimestamp)) / 60_000;
  // Also one that, by the clock of the API server, is not there yet.
  if (minutes < settings.leastAgeMinutes) {
    return `it is ${Math.max(0, Math.floor(minutes))} min old, and one younger than ${settings.leastAgeMinutes} min is not replaced (replacement.leastAgeMinutes)`;
  }
  return undefined;
}
