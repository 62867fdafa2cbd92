import { probeValue } from '../evidence/probe.ts';
import { leakedScopes as leakedScopesOf, stuckSessions } from '../evidence/producers.ts';
import type { Cause, Finding } from './cause.ts';

/** Below this share of available memory the kubelet of an EKS node is about to evict (hard eviction: 100 MiB). */
const leastAvailablePercent = 5;
/** Share of time in which every task waits for memory; a node that shows this is not well, whatever else it shows. */
const mostStalledPercent = 5;

const needed = ['cgroups', 'memory', 'pressure', 'reclaim'] as const;

/** Everything that is looked at was seen, and nothing of it is wrong. One gap among it, and there is no verdict. */
export const healthy: Cause = {
  id: 'healthy',
  title: 'Everything that is looked at was seen, and nothing of it is wrong.',

  judge(evidence, thresholds) {
    const cgroups = probeValue(evidence.probes.cgroups);
    const memory = probeValue(evidence.probes.memory);
    const pressure = probeValue(evidence.probes.pressure);
    const reclaim = probeValue(evidence.probes.reclaim);
    const findings: Finding[] = [];
    const compare = (fact: string, value: number, threshold: number, good: boolean, source: string): void => {
      findings.push({
        fact,
        value,
        threshold,
        speaks: good ? 'for' : 'against',
        source,
        ...(good ? { weight: 0.5 } : {}),
      });
    };

    if (cgroups !== undefined) {
      const good = cgroups.dying <= thresholds.dyingFloor;
      compare(
        'dying memory cgroups',
        cgroups.dying,
        thresholds.dyingFloor,
        good,
        'settings thresholds.dyingFloor',
      );
    }
    if (memory !== undefined) {
      const percent = Math.round((memory.availableKb * 100) / memory.totalKb);
      const good = percent >= leastAvailablePercent;
      compare(
        'available memory, percent',
        percent,
        leastAvailablePercent,
        good,
        'MemAvailable; kubelet evicts near here',
      );
    }
    if (pressure !== undefined) {
      const stalled = pressure.memory.full?.avg60 ?? pressure.memory.some.avg60;
      const good = stalled <= mostStalledPercent;
      compare('time stalled on memory, percent', stalled, mostStalledPercent, good, 'PSI memory avg60');
    }
    const stalls = reclaim?.allocstall ?? undefined;
    if (stalls !== undefined) {
      compare('direct reclaim stalls in the window', stalls, 0, stalls === 0, 'vmstat allocstall');
    }

    const scopes = leakedScopesOf(evidence);
    if (scopes !== undefined) {
      const limit = thresholds.leakedScopes;
      const fact = 'scope and session directories without a process';
      compare(fact, scopes, limit, scopes < limit, 'settings thresholds.leakedScopes');
    }
    const stuck = stuckSessions(evidence);
    if (stuck !== undefined) {
      const limit = thresholds.leakedScopes;
      const fact = 'sessions stuck on their way out, and abandoned scopes';
      compare(fact, stuck, limit, stuck < limit, 'settings thresholds.leakedScopes');
    }

    if (findings.some((finding) => finding.speaks === 'against')) return { result: 'excluded', findings };
    const needs: string[] = needed.filter((probe) => evidence.probes[probe].status !== 'ok');
    if (reclaim !== undefined && stalls === undefined) needs.push('reclaim.allocstall');
    if (needs.length > 0) return { result: 'insufficient-evidence', needs, findings };
    return { result: 'matches', findings };
  },

  explain() {
    return 'Everything that was looked at is within its limits. Nothing on this node asks for a treatment.';
  },

  untreated: 'Nothing.',

  prevent: () => [],
};
