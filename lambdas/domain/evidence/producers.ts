import { type Agent, manyRestarts, needOf } from './agents.ts';
import type { Evidence, Slice } from './evidence.ts';
import { probeValue } from './probe.ts';

/** The entry of this very cgroup, where the evidence lists it. */
export function sliceAt(evidence: Evidence, path: string): Slice | undefined {
  return probeValue(evidence.probes.slices)?.entries.find((slice) => slice.path === path);
}

/** Services that systemd starts again and again, most often first: each start can leave a cgroup behind. */
export function loopingAgents(evidence: Evidence): Agent[] {
  const agents = probeValue(evidence.probes.agents)?.entries ?? [];
  return agents
    .filter(isLooping)
    .sort((a, b) => (b.restarts ?? 0) - (a.restarts ?? 0) || (a.unit < b.unit ? -1 : 1));
}

/** Where nobody counts the restarts, one that is between two of them when it is looked at. */
function isLooping({ restarts, sub }: Agent): boolean {
  return restarts === null ? sub === 'auto-restart' : restarts >= manyRestarts;
}

/** Of those, the first that nothing on the node needs, as far as the node can see. */
export function orphanedAgentOf(evidence: Evidence): Agent | undefined {
  return loopingAgents(evidence).find((agent) => needOf(agent).needed === false);
}

/** Directories of scopes and sessions without a process, which somebody failed to remove. */
export function leakedScopes(evidence: Evidence): number | undefined {
  const unpopulated = probeValue(evidence.probes.unpopulated);
  return unpopulated && unpopulated.scope + unpopulated.session;
}

/** Sessions that are closing and scopes that systemd calls abandoned; neither is left for long where all is well. */
export function stuckSessions(evidence: Evidence): number | undefined {
  const sessions = probeValue(evidence.probes.sessions);
  if (sessions === undefined || (sessions.closing === null && sessions.abandonedScopes === null))
    return undefined;
  return (sessions.closing ?? 0) + (sessions.abandonedScopes ?? 0);
}
