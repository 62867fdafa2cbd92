import * as z from 'zod';
import { type Cause, CauseId, Finding } from './causes/cause.ts';
import { explainInconclusive } from './causes/inconclusive.ts';
import { causes } from './causes/index.ts';
import type { Evidence } from './evidence/evidence.ts';
import { type Gap, gapsOf } from './evidence/gaps.ts';
import type { Cluster } from './settings.ts';

export const Diagnosis = z.object({
  cause: CauseId,
  variant: z.string().optional(),
  /** 0 to 1; 0 for `inconclusive`. */
  confidence: z.number().min(0).max(1),
  alsoPossible: z.array(z.object({ cause: CauseId, confidence: z.number() })),
  findings: z.array(Finding),
  gaps: z.array(z.object({ probe: z.string(), reason: z.string() })),
  explanation: z.string(),
});
export type Diagnosis = z.infer<typeof Diagnosis>;

/** The cause that the evidence supports best, or `inconclusive`. Total and deterministic. */
export function diagnose(evidence: Evidence, thresholds: Cluster['thresholds']): Diagnosis {
  const gaps = gapsOf(evidence);
  const judged = causes.map((cause) => ({ id: cause.id, cause, verdict: cause.judge(evidence, thresholds) }));
  const matches = judged
    .flatMap(({ cause, verdict }) => (verdict.result === 'matches' ? [{ cause, ...verdict }] : []))
    .sort((a, b) => b.confidence - a.confidence);
  // A producer comes before what it produces, however sure that is.
  const isEffect = ({ cause }: { cause: Cause }): boolean =>
    matches.some((other) => other.cause.explains?.includes(cause.id));
  const [best, ...others] = [...matches.filter((match) => !isEffect(match)), ...matches.filter(isEffect)];
  if (best === undefined) {
    return {
      cause: 'inconclusive',
      confidence: 0,
      alsoPossible: [],
      findings: judged.flatMap(({ verdict }) => verdict.findings),
      gaps,
      explanation: explainInconclusive(judged, gaps),
    };
  }
  return {
    cause: best.cause.id,
    confidence: best.confidence,
    alsoPossible: others.map(({ cause, confidence }) => ({ cause: cause.id, confidence })),
    findings: best.findings,
    gaps,
    explanation: best.cause.explain(best.findings),
  };
}

/** Whether this cause would still be found, whatever else may be by now: an earlier rung changes what a node shows. */
export function stillMatches(cause: CauseId, evidence: Evidence, thresholds: Cluster['thresholds']): boolean {
  return causes.find(({ id }) => id === cause)?.judge(evidence, thresholds).result === 'matches';
}

/** The diagnosis of a node from which no evidence came: it did not answer, or what it printed cannot be read. */
export function diagnoseWithoutEvidence(gap: Gap): Diagnosis {
  return {
    cause: 'inconclusive',
    confidence: 0,
    alsoPossible: [],
    findings: [],
    gaps: [gap],
    explanation: `There is no evidence from this node: ${gap.reason}. That is not a finding of health; somebody should look.`,
  };
}
