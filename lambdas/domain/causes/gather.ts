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
  return {
    findings,
    /** Whether the value is the threshold or more. */
    atLeast: (compared: Compared) => compare(compared, (limit) => (compared.value ?? 0) >= limit),
    /** Whether the value is the threshold or less. */
    atMost: (compared: Compared) => compare(compared, (limit) => (compared.value ?? 0) <= limit),
    /** A fact without a threshold; `undefined` as its value means that it was not seen. */
    fact(finding: Omit<Finding, 'value'> & { value: Finding['value'] | undefined }): boolean | undefined {
      const { value } = finding;
      if (value === undefined) return undefined;
      findings.push({ ...finding, value });
      return finding.speaks === 'for';
    },
  };
}

/** Three figures that mean something are enough for a person. */
function rounded(value: number): number {
  if (Math.abs(value) >= 100) return Math.round(value);
  return Number(value.toPrecision(3));
}
