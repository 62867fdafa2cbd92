import * as z from 'zod';

/**
 * What the gates say of one rung. pass: go on. ask: a person has to approve. wait: ask again, bounded by `waiting.ts`.
 * skip: not this rung, try the next. refuse: nothing more on this node. observe: say what would be done, do nothing.
 */
export const GateDecision = z.enum(['pass', 'ask', 'wait', 'skip', 'refuse', 'observe']);
export type GateDecision = z.infer<typeof GateDecision>;

export const GateResult = z.object({
  gate: z.string(),
  decision: GateDecision,
  reason: z.string(),
  /** Of `wait`: when the gate expects to say something else. */
  until: z.iso.datetime().optional(),
});
export type GateResult = z.infer<typeof GateResult>;

/** From the strictest to the mildest: the strictest answer of all the gates holds. */
const strictness: readonly GateDecision[] = ['refuse', 'observe', 'skip', 'wait', 'ask', 'pass'];

/** The strictest of the answers; of equals the first. No gate at all is a refusal, for then nothing was checked. */
export function strictest(results: GateResult[]): GateResult {
  const none: GateResult = { gate: 'none', decision: 'refuse', reason: 'no gate was asked' };
  const rank = (result: GateResult): number => strictness.indexOf(result.decision);
  return results.reduce((worst, result) => (rank(result) < rank(worst) ? result : worst), results[0] ?? none);
}
