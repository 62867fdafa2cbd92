import type { AuditStep } from './entry.ts';

/** By how a step begins. The time of a phase is the time up to its entries, so the wait for the evidence, which ends in a diagnosis, is examining. */
const phases = [
  [/^(incident\.opened|lease\.|node\.)/, 'open'],
  [/^(examination\.|diagnosed)/, 'examine'],
  [/^planned/, 'plan'],
  [/^(gated|breaker\.)/, 'gate'],
  [/^(approval\.|rechecked)/, 'approve'],
  [/^(treatment\.|replacement\.|cordon\.(intended|finished)|notified)/, 'treat'],
  [/^(sampled|verified)/, 'verify'],
  [/^undo\./, 'undo'],
  [/^rung\./, 'next rung'],
  [/^janitor\./, 'janitor'],
  [/^cordon\.swept/, 'sweep'],
] as const;

/** The phase of an incident that a step of its trail belongs to. */
export function phaseOfStep(step: AuditStep): string {
  return phases.find(([pattern]) => pattern.test(step))?.[1] ?? 'close';
}
