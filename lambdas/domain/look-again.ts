import * as z from 'zod';
import { CauseId } from './causes/cause-id.ts';
import type { IncidentState } from './incident-state.ts';
import { Signal } from './treatments/treatment.ts';

/** A provisional cure is looked at again after a day: by then the slowest growth that is a fault shows. */
const afterSeconds = 86_400;

/** What a second look, a day after a provisional cure, has to compare with. */
export const LookAgain = z.object({
  at: z.iso.datetime(),
  cause: CauseId,
  treatment: z.string(),
  signal: Signal,
  /** The signal at the last look, in its own unit, and where the rung said that it would be. */
  level: z.number().nullable(),
  atMost: z.number().optional(),
  atLeast: z.number().optional(),
});
export type LookAgain = z.infer<typeof LookAgain>;

/** Nothing where the cure is certain, or is none. */
export function lookAgainFor(state: IncidentState, closedAt: Date): LookAgain | undefined {
  const { diagnosis, rung, verification } = state;
  if (verification?.verdict !== 'cured' || !verification.provisional) return undefined;
  if (rung === undefined || diagnosis === undefined) return undefined;
  const { signal, atMost, atLeast } = rung.expects;
  return {
    at: new Date(closedAt.getTime() + afterSeconds * 1000).toISOString(),
    cause: diagnosis.cause,
    treatment: rung.treatment,
    signal,
    level: verification.samples.at(-1)?.[signal] ?? null,
    ...(atMost === undefined ? {} : { atMost }),
    ...(atLeast === undefined ? {} : { atLeast }),
  };
}

/** For people. */
export function lookAgainSentence({ at, treatment }: LookAgain): string {
  return `The cure by ${treatment} is provisional: what would show that it comes back takes longer than the node was watched. The census looks again at ${at}.`;
}
