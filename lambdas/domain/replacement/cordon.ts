import type { NodeToReplace } from './objects.ts';

/** On every node that the medic has cordoned: the incident for which it did. Only with it may a cordon be taken back. */
export const cordonAnnotation = 'cgroup-medic/cordoned-by';

/**
 * Whose cordon a node has.
 * none: pods may be put there. ours: this incident's. another: that of another incident.
 * lifted: this incident's, and somebody has uncordoned the node since. foreign: somebody else's, who has left no name.
 */
export type Cordon = 'none' | 'ours' | 'lifted' | 'another' | 'foreign';

export function cordonOf({ metadata, spec }: NodeToReplace, incident: string): Cordon {
  const holder = metadata.annotations[cordonAnnotation];
  if (holder === undefined) return spec.unschedulable ? 'foreign' : 'none';
  if (holder !== incident) return 'another';
  return spec.unschedulable ? 'ours' : 'lifted';
}

/** A JSON merge patch (RFC 7396) that holds for the node as it was read only: another version, or another node of that name, is a conflict. */
export type NodePatch = {
  metadata: { uid: string; resourceVersion: string; annotations: Record<string, string | null> };
  spec: { unschedulable: boolean };
};

/** What to do about a node: a patch, or nothing, with the reason. */
export type CordonStep = { patch: NodePatch } | { nothing: 'already' | 'not-ours'; says: string };

/** A node that is cordoned already is left as it is: whoever did that shall find their cordon afterwards. */
export function toCordon(node: NodeToReplace, incident: string): CordonStep {
  switch (cordonOf(node, incident)) {
    case 'none':
      return { patch: patchOf(node, incident, true) };
    case 'ours':
      return { nothing: 'already', says: 'it is cordoned by this incident already' };
    case 'lifted':
      return { nothing: 'not-ours', says: 'somebody has uncordoned it since this incident cordoned it' };
    case 'another':
      return { nothing: 'not-ours', says: `it has the cordon of incident ${holderOf(node)}` };
    case 'foreign':
      return { nothing: 'not-ours', says: 'somebody else has cordoned it' };
  }
}

/** Takes back what this incident did, and nothing else. */
export function toUncordon(node: NodeToReplace, incident: string): CordonStep {
  switch (cordonOf(node, incident)) {
    case 'ours':
    case 'lifted':
      return { patch: patchOf(node, null, false) };
    case 'none':
      return { nothing: 'already', says: 'it is not cordoned' };
    case 'another':
      return { nothing: 'not-ours', says: `it has the cordon of incident ${holderOf(node)}` };
    case 'foreign':
      return { nothing: 'not-ours', says: 'somebody else has cordoned it' };
  }
}

function holderOf({ metadata }: NodeToReplace): string {
  return (metadata.annotations[cordonAnnotation] ?? '').slice(0, 200);
}

function patchOf({ metadata }: NodeToReplace, holder: string | null, unschedulable: boolean): NodePatch {
  const { uid, resourceVersion } = metadata;
  return {
    metadata: { uid, resourceVersion, annotations: { [cordonAnnotation]: holder } },
    spec: { unschedulable },
  };
}
