import type { AroundProbes } from '../evidence/around-probes.ts';
import { Evidence } from '../evidence/evidence.ts';
import { missing } from './read.ts';

/** The evidence of a node with what is known around it. */
export function withAround(evidence: Evidence, around: AroundProbes | undefined): Evidence {
  return around === undefined ? evidence : { ...evidence, probes: { ...evidence.probes, ...around } };
}

/**
 * Evidence of a node that did not answer: what is known around it, and every question to the node itself a gap with this
 * reason. `undefined` where nothing is known around it either.
 */
export function withoutNode(
  reason: string,
  around: AroundProbes | undefined,
  now: Date,
): Evidence | undefined {
  if (around === undefined || Object.values(around).every(({ status }) => status !== 'ok')) return undefined;
  const unanswered = Object.keys(Evidence.shape.probes.shape).map((name) => [name, missing(reason)]);
  return Evidence.parse({
    version: 1,
    document: 'collect-evidence',
    profile: 'full',
    collectedAt: now.toISOString(),
    unreachable: reason.slice(0, 500),
    probes: { ...Object.fromEntries(unanswered), ...around },
  });
}
