import type { Evidence } from './evidence.ts';

/** A probe that told us nothing, and why. */
export type Gap = { probe: string; reason: string };

/** Every probe that is not `ok`, in the order of the schema. */
export function gapsOf(evidence: Evidence): Gap[] {
  return Object.entries(evidence.probes).flatMap(([probe, result]) =>
    result.status === 'ok' ? [] : [{ probe, reason: result.reason }],
  );
}
