import { given } from '../around/read.ts';
import type { Replacement } from '../settings/replacement.ts';
import type { PodOnNode } from './objects.ts';
import type { PodRef } from './pod-ref.ts';

/** The policy of a cluster for pods that nobody brings back as they were. */
export type PodPolicy = Pick<Replacement, 'barePods' | 'localData'>;

export type Skipped = PodRef & { why: 'mirror' | 'daemon-set' | 'finished' };
/** A pod that may not be evicted, and whose word that is. */
export type Blocked = PodRef & { why: string };

/** Each pod of a node is in exactly one of these. */
export type SortedPods = {
  evict: PodRef[];
  /** On their way out already: they are waited for, and not asked again. */
  leaving: PodRef[];
  /** They stay until the node goes, as in every drain. */
  skipped: Skipped[];
  blocked: Blocked[];
};

/** Set by the kubelet on the picture of a static pod: https://kubernetes.io/docs/reference/labels-annotations-taints/ */
const mirror = 'kubernetes.io/config.mirror';
const doNotDisrupt = 'karpenter.sh/do-not-disrupt';
const safeToEvict = 'cluster-autoscaler.kubernetes.io/safe-to-evict';
const safeVolumes = `${safeToEvict}-local-volumes`;

export function sortPods(pods: readonly PodOnNode[], policy: PodPolicy): SortedPods {
  const sorted: SortedPods = { evict: [], leaving: [], skipped: [], blocked: [] };
  for (const pod of pods) {
    const { namespace, name, uid } = pod.metadata;
    const ref = { namespace, name, uid };
    const stays = whyItStays(pod);
    const blocks = whyItBlocks(pod, policy);
    if (stays !== undefined) sorted.skipped.push({ ...ref, why: stays });
    else if (pod.metadata.deletionTimestamp != null) sorted.leaving.push(ref);
    else if (blocks !== undefined) sorted.blocked.push({ ...ref, why: blocks });
    else sorted.evict.push(ref);
  }
  return sorted;
}

/** Of `kubectl drain`, those that it leaves where they are. */
function whyItStays({ metadata, status }: PodOnNode): Skipped['why'] | undefined {
  if (mirror in metadata.annotations) return 'mirror';
  if (controllerOf(metadata)?.kind === 'DaemonSet') return 'daemon-set';
  return status.phase === 'Succeeded' || status.phase === 'Failed' ? 'finished' : undefined;
}

function whyItBlocks(pod: PodOnNode, { barePods, localData }: PodPolicy): string | undefined {
  const { annotations } = pod.metadata;
  const disrupt = annotations[doNotDisrupt];
  // Karpenter knows the value "true" only. Any other that is not "false" is somebody's wish as well.
  if (disrupt !== undefined && disrupt !== 'false') return `it says ${doNotDisrupt}: ${given(disrupt)}`;
  const safe = annotations[safeToEvict];
  // The cluster autoscaler takes the word of a pod for it, also where the pod is bare or has local data.
  if (safe === 'true') return undefined;
  if (safe !== undefined) return `it says ${safeToEvict}: ${given(safe)}`;
  if (barePods === 'block' && controllerOf(pod.metadata) === undefined) {
    return 'no controller owns it, so nobody would make it again (replacement.barePods)';
  }
  const volumes = localData === 'block' ? localVolumesOf(pod) : [];
  if (volumes.length === 0) return undefined;
  return `what is in ${volumes.map(given).join(', ')} would be lost (replacement.localData)`;
}

function controllerOf({ ownerReferences }: PodOnNode['metadata']) {
  return ownerReferences.find(({ controller }) => controller);
}

/** As the cluster autoscaler counts them: on the disk of the node, and not named by the pod as ones that may go. */
function localVolumesOf({ metadata, spec }: PodOnNode): string[] {
  const mayGo = (metadata.annotations[safeVolumes] ?? '').split(',').map((name) => name.trim());
  return spec.volumes
    .filter(
      ({ emptyDir, hostPath }) => hostPath != null || (emptyDir != null && emptyDir.medium !== 'Memory'),
    )
    .map(({ name }) => name)
    .filter((name) => !mayGo.includes(name));
}
