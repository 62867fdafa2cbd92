import * as z from 'zod';
import { type Cause, Finding, Prevention } from './causes/cause.ts';
import { CauseId } from './causes/cause-id.ts';
import { confidenceOf } from './causes/confidence.ts';
import { explainInconclusive, type Judged } from './causes/inconclusive.ts';
import { causes } from './causes/index.ts';
import { type Contradiction, contradictionsIn, withoutProbes } from './evidence/contradictions.ts';
import type { Evidence } from './evidence/evidence.ts';
import { absentIn, type Gap, gapsOf } from './evidence/gaps.ts';
import type { Thresholds } from './thresholds.ts';

export const Possible = z.object({ cause: CauseId, variant: z.string().optional(), confidence: z.number() });

export const Diagnosis = z.object({
  cause: CauseId,
  variant: z.string().optional(),
  /** 0 to 1; 0 for `inconclusive`. */
  confidence: z.number().min(0).max(1),
  alsoPossible: z.array(Possible),
  /** What rules say that only watch: reported, never acted on. */
  shadow: z.array(Possible).default([]),
  findings: z.array(Finding),
  gaps: z.array(z.object({ probe: z.string(), reason: z.string() })),
  explanation: z.string(),
  /** What it costs to do nothing. */
  untreated: z.string().default(''),
  prevention: z.array(Prevention).default([]),
});
export type Diagnosis = z.infer<typeof Diagnosis>;
export type Possible = z.infer<typeof Possible>;

/** Two causes that are not this far apart, and of which neither explains the other, are a tie: in hundredths, as they are given. */
const tie = 2;

type Match = Judged & { cause: Cause; variant?: string; confidence: number; findings: Finding[] };

/**
 * The cause that the evidence supports best, or `inconclusive`. Total and deterministic.
 *
 * Every rule judges for itself. A producer comes before its effects, however sure those are; then the surer cause comes
 * first. Where two that have nothing to do with each other are as sure, or the surest is not sure enough, the answer is
 * `inconclusive`. Health is found only where no fault is. Where the evidence contradicts itself, a diagnosis stands only
 * if it needs none of the probes that do.
 *
 * @param shadow causes whose rules only watch
 */
export function diagnose(
  evidence: Evidence,
  thresholds: Thresholds,
  shadow: readonly CauseId[] = [],
): Diagnosis {
  const gaps = gapsOf(evidence);
  const judged = causes.map((cause) => ({ id: cause.id, cause, verdict: cause.judge(evidence, thresholds) }));
  const matches = judged.flatMap(matchOf).sort((a, b) => b.confidence - a.confidence);
  const watching = matches.filter(({ id }) => shadow.includes(id));
  const acting = matches.filter(({ id }) => !shadow.includes(id));
  const faults = acting.filter(({ id }) => id !== 'healthy');
  // One that is not sure enough hides none that is, though it would produce it.
  const isSure = ({ confidence }: Match): boolean => confidence >= thresholds.leastConfidence;
  const ranked =
    faults.length > 0
      ? [...producersFirst(faults.filter(isSure)), ...producersFirst(faults.filter((one) => !isSure(one)))]
      : acting;
  const [best, second] = ranked;
  const contradictions = contradictionsIn(evidence);

  const inconclusive = (why?: string): Diagnosis => ({
    cause: 'inconclusive',
    confidence: 0,
    alsoPossible: ranked.map(possible),
    shadow: watching.map(possible),
    findings: [
      ...contradictions.map(asFinding),
      ...(best === undefined ? judged : ranked).flatMap(({ id, verdict }) =>
        verdict.findings.map((finding) => ({ ...finding, of: id })),
      ),
    ],
    gaps,
    explanation: explainInconclusive(
      judged,
      gaps,
      why ?? explainContradictions(contradictions),
      absentIn(evidence),
    ),
    untreated: 'Nobody knows: somebody should look.',
    prevention: [],
  });
  if (best === undefined) return inconclusive();
  const shaken = contradictions.filter((one) => !standsWithout(best.cause, one, evidence, thresholds));
  if (shaken.length > 0) return inconclusive(explainContradictions(shaken, best.id));
  if (best.confidence < thresholds.leastConfidence) {
    return inconclusive(
      `${best.id} is the most likely, and its confidence of ${best.confidence} is below ${thresholds.leastConfidence}.`,
    );
  }
  if (second !== undefined && !related(best, second) && hundredthsApart(best, second) < tie) {
    return inconclusive(
      `${best.id} and ${second.id} are as likely (${best.confidence} and ${second.confidence}), and neither explains the other.`,
    );
  }
  return {
    cause: best.id,
    ...(best.variant === undefined ? {} : { variant: best.variant }),
    confidence: best.confidence,
    alsoPossible: ranked.slice(1).map(possible),
    shadow: watching.map(possible),
    findings: best.findings,
    gaps,
    explanation: best.cause.explain(best.findings, best.variant),
    untreated: best.cause.untreated,
    prevention: best.cause.prevent(evidence, best.findings),
  };
}

function matchOf({ id, cause, verdict }: Judged & { cause: Cause }): Match[] {
  if (verdict.result !== 'matches') return [];
  const { variant, findings } = verdict;
  return [
    {
      id,
      cause,
      verdict,
      confidence: confidenceOf(findings),
      findings,
      ...(variant === undefined ? {} : { variant }),
    },
  ];
}

/** Whether a match would be one without the probes that contradict each other. */
function standsWithout(
  cause: Cause,
  { probes, says }: Contradiction,
  evidence: Evidence,
  thresholds: Thresholds,
): boolean {
  const rest = withoutProbes(evidence, probes, `contradicts itself: ${says}`.slice(0, 500));
  return cause.judge(rest, thresholds).result === 'matches';
}

function explainContradictions(contradictions: Contradiction[], cause?: CauseId): string | undefined {
  if (contradictions.length === 0) return undefined;
  const says = contradictions.map((one) => `${one.says} (${one.probes.join(' and ')})`).join('; ');
  const stands = cause === undefined ? '' : ` ${cause} would stand on it.`;
  return `The evidence contradicts itself: ${says}. At least one of these is wrong.${stands} Collect it again.`;
}

function asFinding({ probes, says }: Contradiction): Finding {
  return {
    fact: 'contradiction in the evidence',
    value: says,
    speaks: 'against',
    source: probes.join(' and '),
  };
}

/** A producer comes before what it produces, however sure that is. */
function producersFirst(matches: Match[]): Match[] {
  const isEffect = ({ cause }: Match): boolean => matches.some((other) => explains(other, cause));
  return [...matches.filter((match) => !isEffect(match)), ...matches.filter(isEffect)];
}

function explains({ cause }: Match, effect: Cause): boolean {
  return cause.explains?.includes(effect.id) ?? false;
}

function related(a: Match, b: Match): boolean {
  return explains(a, b.cause) || explains(b, a.cause);
}

function hundredthsApart(a: Match, b: Match): number {
  return Math.round((a.confidence - b.confidence) * 100);
}

function possible({ id, variant, confidence }: Match): Possible {
  return { cause: id, ...(variant === undefined ? {} : { variant }), confidence };
}

/** Whether this cause would still be found, whatever else may be by now: an earlier rung changes what a node shows. */
export function stillMatches(cause: CauseId, evidence: Evidence, thresholds: Thresholds): boolean {
  return causes.find(({ id }) => id === cause)?.judge(evidence, thresholds).result === 'matches';
}

/** The diagnosis of a node from which no evidence came: it did not answer, or what it printed cannot be read, and nothing is known around it. */
export function diagnoseWithoutEvidence(gap: Gap, around: readonly Gap[] = []): Diagnosis {
  return {
    cause: 'inconclusive',
    confidence: 0,
    alsoPossible: [],
    shadow: [],
    findings: [],
    gaps: [gap, ...around],
    explanation: `There is no evidence from this node: ${gap.reason}. That is not a finding of health; somebody should look.`,
    untreated: 'Nobody knows: somebody should look.',
    prevention: [],
  };
}
