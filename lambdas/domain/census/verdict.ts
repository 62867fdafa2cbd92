import type { CauseId } from '../causes/cause-id.ts';
import { diagnose } from '../diagnosis.ts';
import type { Evidence } from '../evidence/evidence.ts';
import type { Cluster } from '../settings.ts';

/** What a quick look makes of a node. `unclear` is neither: it is counted, and it is no health. */
export type CensusVerdict =
  | { is: 'fault'; cause: CauseId; confidence: number }
  | { is: 'healthy' }
  | { is: 'unclear' };

/**
 * Every fault makes a node one to look at, also one that only people can mend: a quick look sees effects (reclaim, memory
 * that runs out) better than what produces them, and the examination of the incident finds what that is. Whether anything
 * is done is for its diagnosis, plan and gates, which see more. What is only inconclusive is not raised: on a quick look
 * that is most of what is between the floor and the threshold, and nobody wants to be called for it every few hours.
 */
export function verdictOf(
  evidence: Evidence,
  { thresholds, diagnosis }: Pick<Cluster, 'thresholds' | 'diagnosis'>,
): CensusVerdict {
  const { cause, confidence } = diagnose(evidence, thresholds, diagnosis.shadow);
  if (cause === 'healthy') return { is: 'healthy' };
  if (cause === 'inconclusive') return { is: 'unclear' };
  return { is: 'fault', cause, confidence };
}
