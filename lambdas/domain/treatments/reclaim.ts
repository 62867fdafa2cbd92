import type { Evidence } from '../evidence/evidence.ts';
import { probeValue } from '../evidence/probe.ts';
import { isBelow, leastDying, leastGhostKb, reclaimTargets } from '../evidence/zombies.ts';
import type { Cluster } from '../settings.ts';
import { concernsRestarts, noRestarts } from './concerns-restarts.ts';
import { type Nothing, noEvidence, type Proposal, type Treatment } from './treatment.ts';

/** The document takes its slices as one bounded string; a node with more holders than this gets another incident. */
const mostSlices = 20;
/** What must be left of the zombies, as a share: on kernel 6.1 about 6 % stay under any reclaim (measured: 258 of 4,263). */
const leftover = 0.1;
const users = '/user.slice';

/** Protected targeted reclaim on the slices that hold zombies; the living are shielded (v2) or avoided (v1). */
export const reclaim: Treatment = {
  id: 'reclaim',
  kind: 'document',
  document: 'reclaim',
  undoDocument: 'reclaim-restore',
  risk: 'low',
  disrupts: false,
  treats: ['dying-memcgs', 'session-churn', 'orphaned-agent', 'agent-leak'],

  propose(evidence, cluster, diagnosis) {
    if (evidence === undefined) return noEvidence;
    if (!concernsRestarts(diagnosis)) return noRestarts;
    const targets = reclaimTargets(evidence).map(({ path }) => path);
    return proposalFor(evidence, cluster, targets);
  },
};

/** Once more, for what was made until its producer was stopped: an approval can take its time. */
export const reclaimOnceStopped: Treatment = {
  ...reclaim,
  onceStopped: true,
  treats: reclaim.treats.filter((cause) => cause !== 'dying-memcgs'),

  propose(evidence, cluster, diagnosis) {
    if (evidence === undefined) return noEvidence;
    if (!concernsRestarts(diagnosis)) return noRestarts;
    const targets = reclaimTargets(evidence).map(({ path }) => lasting(path));
    const proposal = proposalFor(evidence, cluster, targets);
    if ('nothing' in proposal) return proposal;
    return { ...proposal, reason: `what was made until the producer was stopped: ${proposal.reason}` };
  },
};

/** The slices of users come and go with their logins, and have no memory of their own once sessions are contained. */
function lasting(path: string): string {
  return isBelow(path, users) ? users : path;
}

/** What the living of the slices pay, where there is no shield for them. */
function priceOn(evidence: Evidence): string[] {
  if (probeValue(evidence.probes.hierarchy)?.memory !== 'v1') return [];
  return [
    'on cgroup v1 nothing shields what lives there: its services lose their page cache as well, and read it again from disk',
  ];
}

function proposalFor(evidence: Evidence, cluster: Cluster, targets: readonly string[]): Proposal | Nothing {
  const dying = probeValue(evidence.probes.cgroups)?.dying;
  if (dying === undefined) return { nothing: 'how many memory cgroups are dying is not known' };
  const allowed = (path: string): boolean =>
    cluster.reclaim.slices.some((slice) => path === slice || isBelow(path, slice));
  const holders = [...new Set(targets)];
  const paths = holders.filter(allowed).slice(0, mostSlices);
  const spared = holders.filter((path) => !allowed(path));
  if (holders.length === 0) {
    return {
      nothing: `no slice is seen to hold enough of them: ${leastDying} dying cgroups, or on cgroup v1 ${leastGhostKb} KiB of page cache that belongs to nobody alive`,
    };
  }
  if (paths.length === 0) {
    return {
      nothing: `the dying cgroups are in ${spared.slice(0, mostSlices).join(', ')}, and settings reclaim.slices allow only ${cluster.reclaim.slices.join(', ') || 'nothing'}`,
    };
  }
  const { psiFullLimit, ioFullLimit } = cluster.reclaim;
  // A kernel has both or none.
  const seen = evidence.probes.pressure.status === 'ok';
  const watched = psiFullLimit === 0 || seen;
  const atMost = Math.max(cluster.thresholds.dyingFloor, Math.round(dying * leftover));
  return {
    arguments: {
      slices: paths.join(' '),
      cpuPercent: String(cluster.reclaim.cpuPercent),
      maxSeconds: String(cluster.reclaim.maxSeconds),
      psiFullLimit: String(seen ? psiFullLimit : 0),
      ioFullLimit: String(seen ? ioFullLimit : 0),
    },
    ...(watched ? {} : { risk: 'medium' as const }),
    reason: [
      `${paths.join(', ')} hold${paths.length === 1 ? 's' : ''} dying cgroups; reclaim there frees them and leaves other slices alone`,
      ...priceOn(evidence),
      ...(spared.length === 0
        ? []
        : [`${spared.join(', ')} may hold more, and settings reclaim.slices leave it out`]),
      ...(watched
        ? []
        : ['this kernel does not tell its memory pressure, so nothing stops it under pressure']),
    ].join('; '),
    expects: { text: `at most ${atMost} dying memory cgroups, and no new growth`, signal: 'dying', atMost },
  };
}
