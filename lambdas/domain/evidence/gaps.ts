import type { Evidence } from './evidence.ts';

/** A probe, or a part of one, that told us nothing, and why. */
export type Gap = { probe: string; reason: string };

/** Every probe that is not `ok`, and every part of one that was not read, in the order of the schema. */
export function gapsOf(evidence: Evidence): Gap[] {
  return Object.entries(evidence.probes).flatMap(([probe, result]) => {
    // Nobody has to know more than the machine.
    if (probe === 'observations') return [];
    if (result.status !== 'ok') return [{ probe, reason: result.reason }];
    if (!('notRead' in result.value)) return [];
    return Object.entries(result.value.notRead).map(([part, reason]) => ({
      probe: `${probe}.${part}`,
      reason,
    }));
  });
}
