import type { Changed } from '../domain/replacement/changed.ts';
import { type Happened, handOverOf } from '../domain/replacement/course.ts';
import type { ReplacementState } from '../domain/replacement/course-state.ts';
import { type OwnerNow, whyNotOwner } from '../domain/replacement/others-at-work.ts';
import type { Owner } from '../domain/replacement/owner.ts';
import type { Replacement } from '../domain/settings/replacement.ts';
import type { NodeChange, NodeChangeAnswer } from './node-change.ts';

/** By what a replacement is made: its cluster, and Auto Scaling. */
export type ReplacementTools = {
  change: <C extends NodeChange>(change: C) => Promise<NodeChangeAnswer[C['do']]>;
  terminateInGroup: (group: string, instanceId: string) => Promise<Changed>;
  membersOf: (group: string) => Promise<string[]>;
  /** How whoever owns the node is now. */
  ownerNow: (owner: Owner) => Promise<OwnerNow>;
  /** Names that the node may have, and the tags of its instance. */
  known: () => Promise<{ names: string[]; tags: Record<string, string> }>;
  /** Writes down what is about to be changed. What it throws keeps the change from being made. */
  intend: (act: ReplacementState['at'], what: string) => Promise<void>;
};

/**
 * Makes the act that is next, once, and says what became of it. An act that fails is one of which nobody knows; only one that could not
 * be written down first is thrown.
 */
export async function makeAct(
  state: ReplacementState,
  tools: ReplacementTools,
  settings: Replacement,
): Promise<Happened> {
  const what = changes[state.at]?.(state);
  if (what !== undefined) await tools.intend(state.at, what);
  try {
    return await act(state, tools, settings);
  } catch (error) {
    return { of: 'failure', says: (error instanceof Error ? error.message : String(error)).slice(0, 400) };
  }
}

/** The acts that change something, and what an audit entry says of them. */
const changes: Partial<Record<ReplacementState['at'], (state: ReplacementState) => string>> = {
  cordon: ({ node }) => `the node ${node} is about to be cordoned`,
  uncordon: ({ node }) => `the cordon of the node ${node} is about to be taken back`,
  evict: ({ node, evict }) =>
    `on the node ${node} these pods are about to be evicted: ${evict.map(({ namespace, name }) => `${namespace}/${name}`).join(', ')}`,
  'hand-over': (state) => {
    const call = handOverOf(state);
    if ('refused' in call) return `nothing is done: ${call.refused}`;
    return call.call === 'terminate-in-group'
      ? `the group ${call.group} is about to be asked to end ${call.instanceId}`
      : `the NodeClaim ${call.nodeClaim} is about to be deleted`;
  },
};

async function act(
  state: ReplacementState,
  tools: ReplacementTools,
  settings: Replacement,
): Promise<Happened> {
  const node = state.node ?? '';
  switch (state.at) {
    case 'examine': {
      const { leastAgeMinutes, pendingPods } = settings;
      const known = await tools.known();
      const { node: found } = await tools.change({ do: 'examine', ...known, leastAgeMinutes, pendingPods });
      if (found === null || found.whyNot !== undefined) return { of: 'examine', node: found };
      const whyNot = whyNotOwner(found.owner, await tools.ownerNow(found.owner), found.ailing ?? []);
      return { of: 'examine', node: { ...found, whyNot } };
    }
    case 'cordon':
    case 'uncordon':
      return { of: state.at, changed: await tools.change({ do: state.at, node }) };
    case 'drain': {
      if (state.drain === null) throw new Error('there is no drain');
      const { barePods, localData } = settings;
      const policy = { barePods, localData };
      const { drain, answers } = state;
      return { of: 'drain', ...(await tools.change({ do: 'drain', node, state: drain, answers, policy })) };
    }
    case 'evict':
      return { of: 'evict', ...(await tools.change({ do: 'evict', pods: state.evict })) };
    case 'hand-over': {
      const call = handOverOf(state);
      if ('refused' in call) return { of: 'hand-over', changed: { is: 'refused', says: call.refused } };
      const changed =
        call.call === 'terminate-in-group'
          ? await tools.terminateInGroup(call.group, call.instanceId)
          : await tools.change({
              do: 'delete-node-claim',
              nodeClaim: call.nodeClaim,
              claimUid: call.claimUid,
            });
      return { of: 'hand-over', changed };
    }
    case 'arrive': {
      const group = state.owner !== null && 'group' in state.owner ? state.owner.group : undefined;
      const members = group === undefined ? [] : await tools.membersOf(group);
      const since = state.askedAt ?? '';
      return { of: 'arrive', seen: await tools.change({ do: 'arrive', node, members, since }) };
    }
    case 'over':
      throw new Error('the replacement is over');
  }
}
