import * as z from 'zod';
import { given } from '../around/read.ts';
import type { NodeToReplace } from './objects.ts';

/** Who makes a new node where this one goes. */
export const Owner = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('managed-node-group'), nodeGroup: z.string(), group: z.string() }),
  z.object({ kind: z.literal('auto-scaling-group'), group: z.string() }),
  z.object({
    kind: z.enum(['karpenter', 'auto-mode']),
    nodeClaim: z.string(),
    /** Of the claim, once it was read. */
    claimUid: z.string().optional(),
  }),
  z.object({ kind: z.literal('unknown'), why: z.string() }),
]);
export type Owner = z.infer<typeof Owner>;

/** The one call by which each owner lets go of a node. Nothing else ever ends an instance. */
export type ReplacementCall =
  | { call: 'terminate-in-group'; group: string; instanceId: string }
  | { call: 'delete-node-claim'; nodeClaim: string; claimUid?: string };

/** `aws:` is a prefix that only AWS can set; labels and other tags are anybody's, and count only where they agree. */
const groupTag = 'aws:autoscaling:groupName';
const nodeGroupTag = 'eks:nodegroup-name';
const nodeGroupLabel = 'eks.amazonaws.com/nodegroup';
const computeType = 'eks.amazonaws.com/compute-type';
const poolLabel = 'karpenter.sh/nodepool';

/**
 * Who owns a node, from its labels, its owner and the tags of its instance. Signs that do not agree are nobody's: a group
 * asked for a node of Karpenter ends an instance that no group replaces.
 */
export function ownerOf(
  { metadata }: Pick<NodeToReplace, 'metadata'>,
  tags: Readonly<Record<string, string>>,
): Owner {
  const { labels } = metadata;
  const claims = metadata.ownerReferences.filter(({ kind }) => kind === 'NodeClaim');
  const group = tags[groupTag];
  const byClaim = claims.length > 0 || poolLabel in labels || poolLabel in tags;
  if (labels[computeType] === 'fargate' || labels[computeType] === 'hybrid') {
    return unknown(`it is a ${labels[computeType]} node: no instance of EC2 is behind it`);
  }
  if (byClaim && group !== undefined) {
    return unknown(`it has the signs of Karpenter, and its instance is in the group ${given(group)}`);
  }
  if (byClaim) {
    const [claim, ...more] = claims;
    if (claim === undefined) return unknown('it has the signs of Karpenter, and no NodeClaim owns it');
    if (more.length > 0) return unknown(`${claims.length} NodeClaims own it`);
    return { kind: labels[computeType] === 'auto' ? 'auto-mode' : 'karpenter', nodeClaim: claim.name };
  }
  if (labels[computeType] === 'auto') return unknown('it is a node of Auto Mode, and no NodeClaim owns it');
  const label = labels[nodeGroupLabel];
  const tag = tags[nodeGroupTag];
  if (group === undefined) {
    return unknown(
      label === undefined
        ? 'no Auto Scaling group, node group or NodeClaim has it'
        : `its label says node group ${given(label)}, and its instance is in no Auto Scaling group`,
    );
  }
  if (label !== tag) {
    return unknown(
      `its label says ${label === undefined ? 'no node group' : `node group ${given(label)}`}, its instance ${tag === undefined ? 'none' : given(tag)}`,
    );
  }
  return label === undefined
    ? { kind: 'auto-scaling-group', group }
    : { kind: 'managed-node-group', nodeGroup: label, group };
}

/** The call that has a node replaced by its owner. */
export function callFor(owner: Owner, instanceId: string): ReplacementCall | { refused: string } {
  switch (owner.kind) {
    case 'managed-node-group':
    case 'auto-scaling-group':
      return { call: 'terminate-in-group', group: owner.group, instanceId };
    case 'karpenter':
    case 'auto-mode':
      return {
        call: 'delete-node-claim',
        nodeClaim: owner.nodeClaim,
        ...(owner.claimUid === undefined ? {} : { claimUid: owner.claimUid }),
      };
    case 'unknown':
      return { refused: `nobody is known to replace this node: ${owner.why}` };
  }
}

function unknown(why: string): Owner {
  return { kind: 'unknown', why };
}
