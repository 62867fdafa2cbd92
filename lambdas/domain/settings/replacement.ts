import * as z from 'zod';

const whatBecomes = z.enum(['block', 'evict']);

export const Replacement = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe(
      'Whether the stack makes the function that may cordon a node of this cluster, evict its pods and delete its NodeClaim, with an access entry of its own (docs/replacing.md). Off: a right that nothing uses is one that somebody else can.',
    ),
  drainMinutes: z
    .int()
    .min(1)
    .max(120)
    .default(15)
    .describe(
      'Minutes from the cordon until the pods must be gone. After that the node is uncordoned, and a person is told which budgets and pods held it: a budget that allows nothing for a quarter of an hour will not do so by itself.',
    ),
  arriveMinutes: z
    .int()
    .min(1)
    .max(120)
    .default(20)
    .describe(
      'Minutes from the end of the old node until the new one must be Ready and run pods. An instance takes two to five; after that a person is told that the cluster has a node less.',
    ),
  lookSeconds: z
    .int()
    .min(1)
    .max(300)
    .default(20)
    .describe(
      'Seconds between two looks for the new node. It takes minutes, and each look reads the nodes of the cluster.',
    ),
  settleSeconds: z
    .int()
    .min(2)
    .max(600)
    .default(120)
    .describe(
      'Seconds from the restart of a kubelet until its node must be Ready again. Looking at every container anew takes 30 to 90; what takes longer has not settled, and the next rung is to replace the node.',
    ),
  leastAgeMinutes: z
    .int()
    .min(0)
    .max(10_080)
    .default(60)
    .describe(
      'A node younger than this is not replaced: what ails it within its first hour came with it, and the next one has it as well.',
    ),
  barePods: whatBecomes
    .default('block')
    .describe(
      'A pod that no controller owns is made again by nobody. block: the node is not drained while there is one. evict: it is lost.',
    ),
  localData: whatBecomes
    .default('block')
    .describe(
      'A pod with an emptyDir on disk or a hostPath loses what is in it. block: the node is not drained while there is one, unless the pod says by `cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes` that these volumes may go. evict: the data is lost.',
    ),
  pendingPods: z
    .int()
    .min(0)
    .max(10_000)
    .default(0)
    .describe(
      'A node is not emptied while more pods of its cluster than this find no room on any node: its own would wait with them. More than 0 where some always wait, for a GPU that nobody has, say.',
    ),
  evictFirst: z
    .enum(['none', 'best-effort', 'without-limits'])
    .default('none')
    .describe(
      'Pods that go before a kubelet is restarted: BestEffort ones, or also Burstable ones without a memory limit (docs/replacing.md).',
    ),
  evictFirstMinutes: z
    .int()
    .min(1)
    .max(30)
    .default(3)
    .describe('Minutes until they must be gone; the rest stays.'),
  evictFirstMost: z.int().min(1).max(50).default(10).describe('So many of them at the most.'),
  orphanMinutes: z
    .int()
    .min(15)
    .max(10_080)
    .default(60)
    .describe(
      'So long after its incident has closed, or after the lease of one that died has run out, a cordon of ours counts as forgotten: by then the janitor has had its time, and its retries, to take it back.',
    ),
  forgottenCordon: z
    .enum(['report', 'uncordon'])
    .default('report')
    .describe(
      'What becomes of a forgotten cordon. report: people are told once. uncordon: it is taken back as well. Nobody knows any more why it is there, so a person looks first unless you say otherwise.',
    ),
});
export type Replacement = z.infer<typeof Replacement>;

/** Seconds that a replacement may take in all: until some pods have gone before it, until it is drained, until the new node is there, and the tries of an act on which it ends. */
export function longestReplacement({
  drainMinutes,
  arriveMinutes,
  evictFirst,
  evictFirstMinutes,
}: Replacement): number {
  const first = evictFirst === 'none' ? 0 : evictFirstMinutes + 15;
  return (first + drainMinutes + arriveMinutes + 15) * 60;
}
