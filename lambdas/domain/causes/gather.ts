import { sourceOf, type ThresholdName, type Thresholds } from '../thresholds.ts';
import type { Finding } from './cause.ts';

/** A figure that was read, or `undefined`: then there is no finding, and the answer is `undefined` as well, never false. */
type Figure = number | null | undefined;

type Compared = {
  fact: string;
  value: Figure;
  /** The name of a threshold, or a number that is physics and no setting. */
  threshold: ThresholdName | number;
  /** Weight where it speaks for the cause. */
  weight: number;
  /** Where the figure was read; for a threshold that is a number, where the number comes from as well. */
  source: string;
};

/** Collects the findings of one rule while it compares. Every answer is three-valued: yes, no, or not known. */
export function gather(thresholds: Thresholds) {
  const findings: Finding[] = [];
  const compare = (
    { fact, value, threshold, weight, source }: Compared,
    holds: (limit: number) => boolean,
  ) => {
    if (value == null) return undefined;
    const limit = typeof threshold === 'number' ? threshold : thresholds[threshold];
    const found = holds(limit);
    findings.push({
      fact,
      value: rounded(value),
      threshold: rounded(limit),
      speaks: found ? 'for' : 'against',
      source: typeof threshold === 'number' ? source : `${sourceOf(threshold)}; ${source}`,
      ...(found ? { weight } : {}),
    });
    return found;
  };
  const atLeast = (compared: Compared): boolean | undefined =>
    compare(compared, (limit) => (compared.value ?? 0) >= limit);
  const atMost = (compared: Compared): boolean | undefined =>
    compare(compared, (limit) => (compared.value ?? 0) <= limit);
  return {
    findings,
    /** Whether the value is the threshold or more. */
    atLeast,
    /** Whether the value is the threshold or less. */
    atMost,
    firstAtLeast: (all: readonly Compared[]) => firstOf(atLeast, all),
    firstAtMost: (all: readonly Compared[]) => firstOf(atMost, all),
    /** A fact without a threshold; `undefined` as its value means that it was not seen. */
    fact(finding: Omit<Finding, 'value'> & { value: Finding['value'] | undefined }): boolean | undefined {
      const { value } = finding;
      if (value === undefined) return undefined;
      findings.push({ ...finding, value });
      return finding.speaks === 'for';
    },
  };
}

/**
 * The same figure from several places, the best first: the first that was read has the answer. Where it does not speak
 * for the cause and a lesser one does, that is found as well: without the first it would be the answer, and nobody may
 * be surer for having seen less.
 */
function firstOf(
  compare: (compared: Compared) => boolean | undefined,
  all: readonly Compared[],
): boolean | undefined {
  let answer: boolean | undefined;
  for (const compared of all) {
    const found = compare(compared);
    answer ??= found;
    if (found) break;
  }
  return answer;
}

/** Three figures that mean something are enough for a person. */
function rounded(value: number): number {
  if (Math.abs(value) >= 100) return Math.round(value);
  return Number(value.toPrecision(3));
}
