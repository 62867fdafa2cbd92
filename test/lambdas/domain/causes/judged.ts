import { expect } from 'vitest';
import type { Cause, Verdict } from '../../../../lambdas/domain/causes/cause.ts';
import { confidenceOf } from '../../../../lambdas/domain/causes/confidence.ts';
import type { Evidence } from '../../../../lambdas/domain/evidence/evidence.ts';
import { clusterWith } from '../sample-evidence.ts';

/** The verdict of one rule, with what follows from it; findings of any verdict never weigh where they speak against. */
export function judged(cause: Cause, evidence: Evidence, settings: Record<string, unknown> = {}) {
  const verdict: Verdict = cause.judge(evidence, clusterWith({ thresholds: settings }).thresholds);
  const { findings } = verdict;
  expect(findings.filter(({ speaks, weight }) => speaks === 'against' && weight !== undefined)).toEqual([]);
  const variant = verdict.result === 'matches' ? verdict.variant : undefined;
  const explanation = verdict.result === 'matches' ? cause.explain(findings, variant) : '';
  expect(explanation).not.toMatch(/undefined|NaN|null|\.\.| {2}/);
  return {
    result: verdict.result,
    variant,
    needs: verdict.result === 'insufficient-evidence' ? verdict.needs : [],
    confidence: verdict.result === 'matches' ? confidenceOf(findings) : 0,
    findings,
    explanation,
    prevention: verdict.result === 'matches' ? cause.prevent(evidence, findings) : [],
  };
}
