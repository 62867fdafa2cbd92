import { type Diagnosis, diagnose, type Possible } from '../diagnosis.ts';
import type { Evidence } from '../evidence/evidence.ts';
import type { Cluster } from '../settings.ts';

/**
 * Causes that a look after a treatment finds and the first diagnosis did not have: another may have hidden behind the one
 * that was treated. Nothing is done about them here; people are told.
 */
export function newCauses(
  known: Diagnosis | undefined,
  evidence: Evidence,
  { thresholds, diagnosis }: Pick<Cluster, 'thresholds' | 'diagnosis'>,
): Possible[] {
  const { cause, variant, confidence, alsoPossible } = diagnose(evidence, thresholds, diagnosis.shadow);
  const first: Possible = { cause, confidence, ...(variant === undefined ? {} : { variant }) };
  const had = [known, ...(known?.alsoPossible ?? []), ...(known?.shadow ?? [])].map((one) => one?.cause);
  return [first, ...alsoPossible].filter(
    (found) =>
      found.cause !== 'healthy' &&
      found.cause !== 'inconclusive' &&
      found.confidence >= thresholds.leastConfidence &&
      !had.includes(found.cause),
  );
}
