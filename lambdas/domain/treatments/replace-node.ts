import type { Replacement } from '../settings/replacement.ts';
import { noEvidence, type Treatment } from './treatment.ts';

/**
 * Takes the node out of service within the budgets of its pods, and has its owner make a new one. The last thing that is done for
 * what nothing on the node frees. Needs nothing of the node itself, which may not answer any more.
 */
export const replaceNode: Treatment = {
  id: 'replace-node',
  kind: 'replace',
  risk: 'high',
  disrupts: true,
  treats: ['dying-memcgs', 'memcg-id-exhaustion', 'kubelet-leak', 'kubelet-oom-cycle'],

  propose(evidence, { replacement }) {
    if (evidence === undefined) return noEvidence;
    if (!replacement.enabled) {
      return {
        nothing:
          'replacement.enabled is false for this cluster: nothing may take a node out of service (docs/replacing.md)',
      };
    }
    const { drainMinutes, barePods, localData } = replacement;
    return {
      arguments: { drainMinutes: String(drainMinutes), barePods, localData },
      reason: `a new node has none of it. This one is cordoned, its pods are evicted as their budgets allow, for ${drainMinutes} min at most, and then its owner is asked for another; a budget that holds a pod, or an owner that nobody knows, ends it, and the cordon is taken back`,
      expects: { text: 'a new node of the same owner is Ready and runs pods, and this one has gone' },
    };
  },
};

/** The settings by which a rung replaces: what was approved, whatever was deployed since. */
export function settingsOf(args: Readonly<Record<string, string>>, replacement: Replacement): Replacement {
  const { drainMinutes, barePods, localData } = args;
  return {
    ...replacement,
    drainMinutes: Number(drainMinutes) || replacement.drainMinutes,
    barePods: barePods === 'evict' ? 'evict' : 'block',
    localData: localData === 'evict' ? 'evict' : 'block',
  };
}
