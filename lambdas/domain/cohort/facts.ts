import type { Diagnosis } from '../diagnosis.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { probeValue } from '../evidence/probe.ts';
import { longestWord, mostFacts } from './cohort.ts';

/**
 * What a node may have in common with others, for whoever decides about all of them: what the diagnosis names (a unit, a
 * workload), and kernel and system. Figures differ from node to node, and are none of it.
 */
export function factsOf({ findings }: Pick<Diagnosis, 'findings'>, evidence: Evidence | undefined): string[] {
  const host = evidence && probeValue(evidence.probes.host);
  const named = findings.flatMap(({ fact, value, speaks }) =>
    speaks === 'for' && typeof value === 'string' ? [`${fact}: ${value}`] : [],
  );
  const about = [
    ...(host?.kernel == null ? [] : [`kernel: ${host.kernel}`]),
    ...(host?.os == null ? [] : [`system: ${host.os}`]),
  ];
  return [...new Set([...named.slice(0, mostFacts - about.length), ...about])].map((fact) =>
    fact.slice(0, longestWord),
  );
}
