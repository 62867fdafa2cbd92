import * as z from 'zod';
import type { Evidence } from '../evidence/evidence.ts';
import type { Cluster } from '../settings.ts';
import { projectedFor } from '../standing/restart-due.ts';
import type { Standing } from '../standing/standing.ts';
import { InstanceId } from './node.ts';

/** The most urgent nodes of a group that a run remembers: one at a time has its turn. */
const mostUrgent = 20;

/** What a run has seen of the kubelets of one group that has a standing restart. MB. */
export const RestartSeen = z.object({
  id: z.string().max(100),
  /** Nodes whose course is known, or known to be none, and those of them that hold as much as they may. */
  looks: z.int().nonnegative(),
  over: z.int().nonnegative(),
  sum: z.int().nonnegative(),
  max: z.int().nonnegative(),
  /** Nodes of which no course is known: they are not treated. Why, of the last of them. */
  unseen: z.int().nonnegative(),
  whyUnseen: z.string().max(300).optional(),
  /** Those that leak, the first to be full first. */
  urgent: z
    .array(
      z.object({
        instanceId: InstanceId,
        rssKb: z.int().nonnegative(),
        perDayKb: z.int(),
        limitKb: z.int().nonnegative(),
        fullAt: z.iso.datetime(),
      }),
    )
    .max(mostUrgent),
});
export type RestartSeen = z.infer<typeof RestartSeen>;

export function nothingOfKubelets(id: string): RestartSeen {
  return { id, looks: 0, over: 0, sum: 0, max: 0, unseen: 0, urgent: [] };
}

/** What was seen with one more node of the group. */
export function withKubelet(
  all: readonly RestartSeen[],
  standing: Pick<Standing, 'id' | 'threshold'>,
  instanceId: string,
  evidence: Evidence,
  cluster: Pick<Cluster, 'thresholds' | 'standing' | 'gates'>,
): RestartSeen[] {
  const known = all.find(({ id }) => id === standing.id) ?? nothingOfKubelets(standing.id);
  const others = all.filter(({ id }) => id !== standing.id);
  const projected = projectedFor(standing, evidence, cluster);
  const { rssKb, limitKb } = projected;
  // One that is full counts as that, whether or not its course is known.
  const isOver = rssKb !== undefined && limitKb !== undefined && rssKb >= limitKb;
  if ('unknown' in projected && !isOver) {
    const why = `${instanceId}: ${projected.unknown}`.slice(0, 300);
    return [...others, { ...known, unseen: known.unseen + 1, whyUnseen: why }];
  }
  const mb = Math.round((rssKb ?? 0) / 1024);
  const next: RestartSeen = {
    ...known,
    looks: known.looks + 1,
    over: known.over + (isOver ? 1 : 0),
    sum: known.sum + mb,
    max: Math.max(known.max, mb),
  };
  if (!('fullAt' in projected)) return [...others, next];
  const { perDayKb, fullAt } = projected;
  const course = {
    rssKb: projected.rssKb,
    perDayKb,
    limitKb: projected.limitKb,
    fullAt: fullAt.toISOString(),
  };
  const urgent = [...known.urgent, { instanceId, ...course }]
    .sort((a, b) => Date.parse(a.fullAt) - Date.parse(b.fullAt) || (a.instanceId < b.instanceId ? -1 : 1))
    .slice(0, mostUrgent);
  return [...others, { ...next, urgent }];
}
