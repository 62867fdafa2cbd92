import * as z from 'zod';
import { CauseId } from '../causes/cause-id.ts';
import type { CensusRun } from './run.ts';
import type { Candidate } from './tally.ts';

/** What the intake gets for one node over threshold. */
export const Raised = z.object({
  source: z.literal('census'),
  received: z.iso.datetime(),
  payload: z.object({
    cluster: z.string(),
    instanceId: z.string(),
    nodeName: z.string().optional(),
    /** When the run began: the same for every delivery of it, so that a repeated message names the same incident. */
    at: z.iso.datetime(),
    cause: CauseId.optional(),
    reason: z.string().max(1000),
    /** The standing treatment by which it is raised. */
    standing: z.string().max(100).optional(),
  }),
});
export type Raised = z.infer<typeof Raised>;

export function raisedMessage(
  { cluster, startedAt }: Pick<CensusRun, 'cluster' | 'startedAt'>,
  { instanceId, cause, confidence, dying }: Candidate,
  nodeName: string | undefined,
  now: Date,
): Raised {
  const counted = dying === null ? 'dying memory cgroups were not counted' : `${dying} dying memory cgroups`;
  return {
    source: 'census',
    received: now.toISOString(),
    payload: {
      cluster,
      instanceId,
      ...(nodeName === undefined ? {} : { nodeName }),
      at: startedAt,
      cause,
      reason: `a quick look of the census found ${cause} (confidence ${confidence}): ${counted}`,
    },
  };
}
