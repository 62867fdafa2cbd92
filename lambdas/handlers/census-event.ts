import * as z from 'zod';
import { CensusRun } from '../domain/census/run.ts';

/** The event of an SQS queue, as far as it is used. */
const Event = z.object({ Records: z.array(z.object({ body: z.string() })).min(1) });

/** The runs that a queue hands over; it hands over one at a time. */
export function runsIn(event: unknown): CensusRun[] {
  return Event.parse(event).Records.map(({ body }) => CensusRun.parse(JSON.parse(body)));
}
