import * as z from 'zod';

/** Ready once may be what the last kubelet had said. */
const looksNeeded = 2;

/** A node as its cluster sees it now. */
export const NodeCondition = z.object({
  node: z.string().min(1),
  cordon: z.enum(['none', 'ours', 'lifted', 'another', 'foreign']),
  /** The condition Ready; `false` also where the kubelet has not been heard of. While it relists no pods (PLEG), the kubelet is not Ready. */
  ready: z.boolean(),
  /** When the kubelet wrote that, by its own clock; `null` where it does not say. */
  heartbeat: z.string().nullable(),
  says: z.string(),
});
export type NodeCondition = z.infer<typeof NodeCondition>;

/**
 * A node that takes no new pods while a treatment is at work on it. held: the treatment may begin. settling: it is over, and the
 * node is watched. over: whatever was held is let go. refused: nothing was done, and nothing is to be done. failed: nobody knows.
 */
export const Hold = z.object({
  at: z.enum(['held', 'settling', 'over', 'refused', 'failed']),
  node: z.string().nullable(),
  /** The cordon is this incident's, and to be taken back by it; `false` where somebody else had cordoned it already. */
  ours: z.boolean(),
  heartbeat: z.string().nullable(),
  /** Since when it is watched. */
  since: z.iso.datetime().nullable(),
  /** Looks in a row that found it Ready. */
  ready: z.int().nonnegative(),
  /** `null`: it was not watched. */
  settled: z.boolean().nullable(),
  /** Nothing of this rung stands any more. */
  lifted: z.boolean(),
  waitSeconds: z.int().nonnegative(),
  says: z.string(),
});
export type Hold = z.infer<typeof Hold>;

export function notHeld(at: 'refused' | 'failed', says: string, node: string | null = null): Hold {
  return { ...empty, at, node, says };
}

const empty: Omit<Hold, 'at' | 'says'> = {
  node: null,
  ours: false,
  heartbeat: null,
  since: null,
  ready: 0,
  settled: null,
  lifted: false,
  waitSeconds: 0,
};

/** What to do about a node that is to be held: cordon it, or hold it as it is, or nothing. */
export type HoldStep = { cordon: Hold } | { asItIs: Hold } | { refused: string };

/** @param forItself whether the cordon is all that is to be done: one that is there already then leaves nothing to do */
export function toHold(found: NodeCondition | null, forItself: boolean): HoldStep {
  if (found === null) return { refused: 'no node of the cluster is this instance' };
  const { node, cordon, heartbeat } = found;
  const held: Hold = { ...empty, at: 'held', node, heartbeat, says: `the node ${node} takes no new pods` };
  switch (cordon) {
    case 'none':
    case 'ours':
      return { cordon: { ...held, ours: true } };
    case 'lifted':
      return { refused: 'somebody has uncordoned it since this incident cordoned it' };
    case 'another':
    case 'foreign': {
      const says = `${cordon === 'another' ? 'another incident' : 'somebody else'} has cordoned the node ${node}, and nobody here takes that back`;
      return forItself ? { refused: says } : { asItIs: { ...held, says } };
    }
  }
}

export type HowToLook = {
  treated: boolean;
  startedAt: string | null;
  now: Date;
  settleSeconds: number;
  lookSeconds: number;
};

/**
 * After one look at a node whose treatment is over. It has settled once two looks in a row find it Ready by a word of the kubelet
 * that the treatment has started; after `settleSeconds` it has not.
 *
 * @param treated whether the treatment came to its own end: otherwise there is nothing to wait for
 * @param startedAt since when, by the document, that kubelet runs, by the clock of the node as its word is; `null` where that is not known: then none is new
 * @param seen what the look found; a gap is no word at all
 */
export function afterLook(
  hold: Hold,
  seen: NodeCondition | null | { gap: string },
  { treated, startedAt, now, settleSeconds, lookSeconds }: HowToLook,
): Hold {
  if (!treated) return { ...hold, at: 'over', settled: null, says: 'the treatment did not come to its end' };
  const since = hold.since ?? now.toISOString();
  const found = seen !== null && !('gap' in seen) ? seen : undefined;
  const isNew = isAfter(found?.heartbeat, startedAt) && found?.heartbeat !== hold.heartbeat;
  const ready = found?.ready && isNew ? hold.ready + 1 : 0;
  if (ready >= looksNeeded) {
    return { ...hold, at: 'over', since, ready, settled: true, says: `the node ${hold.node} is Ready again` };
  }
  if (now.getTime() - Date.parse(since) >= settleSeconds * 1000) {
    const last = seen === null ? 'there is no such node any more' : 'gap' in seen ? seen.gap : seen.says;
    const stale = found?.ready && !isNew ? ', but its kubelet has not said so since' : '';
    const says = `the node ${hold.node} was not Ready within ${settleSeconds} s: ${last}${stale}`;
    return { ...hold, at: 'over', since, ready, settled: false, waitSeconds: 0, says };
  }
  return { ...hold, at: 'settling', since, ready, waitSeconds: lookSeconds };
}

/** Both in whole seconds, rounded down: one of the same second may be older. What is no time is after nothing. */
function isAfter(heartbeat: string | null | undefined, startedAt: string | null): boolean {
  return Date.parse(heartbeat ?? '') > Date.parse(startedAt ?? '');
}
