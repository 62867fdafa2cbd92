import * as z from 'zod';

/** The reason of a gap where nobody asked: in the evidence there is no word of this probe. */
export const notCollected = 'not collected';
/** What collect-evidence says of the window where it was told not to watch any. */
export const notAskedFor = 'not asked for';

const reason = z.string().min(1).max(500);

/**
 * One question put to the node. `missing`: the thing does not exist there. `failed`: it exists, and reading it failed
 * or took too long. Neither is ever health: both become gaps.
 */
export type Probe<T> =
  | { status: 'ok'; value: T }
  | { status: 'missing'; reason: string; byDesign?: true | undefined }
  | { status: 'failed'; reason: string };

/**
 * The schema of a probe with this value. A probe that an older document did not know, or that the report is silent
 * about, parses as `missing`.
 */
export function probeOf<T extends z.ZodType>(value: T) {
  return z
    .discriminatedUnion('status', [
      z.object({ status: z.literal('ok'), value }),
      z.object({
        status: z.literal('missing'),
        reason,
        /** Whoever asks knows that there is nothing to be had: a setting says so, or nobody publishes it. It was not lost. */
        byDesign: z.literal(true).optional(),
      }),
      z.object({ status: z.literal('failed'), reason }),
    ])
    .default({ status: 'missing', reason: notCollected });
}

/** The value of a probe, or `undefined` where it is a gap. */
export function probeValue<T>(probe: Probe<T>): T | undefined {
  return probe.status === 'ok' ? probe.value : undefined;
}
