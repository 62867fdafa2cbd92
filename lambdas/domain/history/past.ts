import * as z from 'zod';
import type { IncidentState } from '../incident-state.ts';

/** More rungs than a ladder has. */
const mostRungs = 20;

/** What is remembered of an incident that has ended, for whoever decides on the same node or the same machine image next. */
export const Past = z.object({
  version: z.literal(1),
  incident: z.string().max(100),
  instanceId: z.string().max(30),
  /** `null`: EC2 did not say which. */
  imageId: z.string().max(256).nullable(),
  /** Left out: its tags named no group. */
  nodeGroup: z.string().max(300).optional(),
  closedAt: z.iso.datetime(),
  /** `null`: it ended before there was a diagnosis. */
  cause: z.string().max(60).nullable(),
  outcome: z.string().max(20),
  /** What was done to the node, and what came of it: what its verification said, or else how the treatment ended. */
  done: z.array(z.object({ treatment: z.string().max(50), came: z.string().max(20) })).max(mostRungs),
});
export type Past = z.infer<typeof Past>;

/** What is remembered of a closed incident; `undefined` of one that never had the node. */
export function pastOf({
  incident,
  lease,
  diagnosis,
  results,
  outcome,
  closedAt,
}: IncidentState): Past | undefined {
  if (lease.status !== 'ours' || outcome === undefined || closedAt === undefined) return undefined;
  const done = results.flatMap(({ treatment, status, result, verification }) => {
    // A treatment that broke off may have changed anything.
    const acted = status === 'failed' || (status === 'done' && result?.changed === true);
    return acted ? [{ treatment, came: verification?.verdict ?? status }] : [];
  });
  return {
    version: 1,
    incident: incident.id,
    instanceId: incident.instanceId,
    imageId: incident.imageId ?? null,
    ...(incident.nodeGroup === undefined ? {} : { nodeGroup: incident.nodeGroup }),
    closedAt,
    cause: diagnosis?.cause ?? null,
    outcome,
    done: done.slice(0, mostRungs),
  };
}

/** What is known of a node, and of all nodes of its machine image, from the oldest on. */
export type History = {
  days: number;
  node: Past[];
  /** `null`: which image the node has is not known. */
  image: { id: string; pasts: Past[] } | null;
};

/** Each incident once, the last that was written of it, the oldest first. */
export function inTime(pasts: readonly Past[]): Past[] {
  const byTime = pasts.toSorted((a, b) => Date.parse(a.closedAt) - Date.parse(b.closedAt));
  return [...new Map(byTime.map((past) => [past.incident, past])).values()];
}
