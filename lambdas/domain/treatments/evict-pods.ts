import type { Relief, ReliefPods } from '../replacement/relief.ts';
import type { Replacement } from '../settings/replacement.ts';
import { restartKubelet } from './restart-kubelet.ts';
import { noEvidence, type Treatment } from './treatment.ts';

const words: Record<ReliefPods, string> = {
  'best-effort': 'pods that ask for no memory or CPU and have no limit (QoS class BestEffort)',
  'without-limits':
    'pods that ask for no memory or CPU and have no limit (QoS class BestEffort), and after them pods with a container that has no limit of memory (QoS class Burstable)',
};

/**
 * Takes memory pressure off a node before its kubelet is restarted, by the eviction of a few pods that nothing holds in bounds: the
 * drain of a replacement, of these pods only. Only where the settings say which; and where there is no restart after it, none goes.
 */
export const evictPods: Treatment = {
  id: 'evict-pods',
  kind: 'evict',
  risk: 'high',
  disrupts: true,
  treats: ['kubelet-oom-cycle'],

  propose(evidence, cluster, diagnosis) {
    if (evidence === undefined) return noEvidence;
    const { enabled, evictFirst, evictFirstMinutes, evictFirstMost, barePods, localData } =
      cluster.replacement;
    if (evictFirst === 'none') {
      return { nothing: 'no pods may be evicted before the kubelet is restarted (replacement.evictFirst)' };
    }
    if (!enabled) {
      return {
        nothing: 'replacement.enabled is false for this cluster: nothing may evict a pod (docs/replacing.md)',
      };
    }
    const restart = restartKubelet.propose(evidence, cluster, diagnosis);
    if ('nothing' in restart) {
      return { nothing: `it comes before a restart of the kubelet, and there is none: ${restart.nothing}` };
    }
    return {
      arguments: {
        pods: evictFirst,
        minutes: String(evictFirstMinutes),
        most: String(evictFirstMost),
        barePods,
        localData,
      },
      reason: `${words[evictFirst]} are evicted, ${evictFirstMost} at the most and for ${evictFirstMinutes} min at the most, so that the kubelet that is restarted next has room; as in a drain their budgets are asked, and those of DaemonSets, that nobody makes again, or that say that they must not be disrupted stay. What does not go in time stays as well`,
      expects: { text: 'these pods run on other nodes, or wait for room there' },
    };
  },
};

/** The relief that was approved, whatever was deployed since; `undefined` where the arguments name none, and then nothing is evicted. */
export function reliefOf({ pods, minutes, most }: Readonly<Record<string, string>>): Relief | undefined {
  if (pods !== 'best-effort' && pods !== 'without-limits') return undefined;
  const bounds = { minutes: Number(minutes), most: Number(most) };
  return bounds.minutes > 0 && bounds.most > 0 ? { pods, ...bounds } : undefined;
}

/** The settings by which it evicts: the policy for pods that was approved. */
export function settingsOfRelief(
  { barePods, localData }: Readonly<Record<string, string>>,
  replacement: Replacement,
): Replacement {
  return {
    ...replacement,
    barePods: barePods === 'evict' ? 'evict' : 'block',
    localData: localData === 'evict' ? 'evict' : 'block',
  };
}
