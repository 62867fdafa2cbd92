import { aroundProbes } from './around-probes.ts';
import type { Evidence } from './evidence.ts';
import { notAskedFor, notCollected } from './probe.ts';

/** A probe, or a part of one, that told us nothing, and why. */
export type Gap = { probe: string; reason: string };

/**
 * Probes of the node itself that have nothing to look at there, by the node's own word: no systemd, no pods. Nobody need
 * collect them again. What is around a node can be missing for want of a setting.
 */
export function absentIn({ probes, unreachable }: Evidence): ReadonlySet<string> {
  // A node that does not answer has said nothing of what it has.
  if (unreachable !== undefined) return new Set();
  const around = new Set<string>(aroundProbes);
  const absent = Object.entries(probes).filter(
    ([name, probe]) =>
      !around.has(name) &&
      name !== 'observations' &&
      probe.status === 'missing' &&
      probe.reason !== notCollected &&
      probe.reason !== notAskedFor,
  );
  return new Set(absent.map(([name]) => name));
}

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
