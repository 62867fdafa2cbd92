import { hardEviction } from '../evidence/eviction.ts';
import type { Evidence, ProbeName } from '../evidence/evidence.ts';
import { oomKilledContainers, recentOomKills } from '../evidence/oom-kills.ts';
import { probeValue } from '../evidence/probe.ts';
import { leakedScopes, stuckSessions } from '../evidence/producers.ts';
import { allocstallsPerSecond, directReclaimPercent, memoryStallPercent } from '../evidence/reclaiming.ts';
import type { Thresholds } from '../thresholds.ts';
import type { Cause } from './cause.ts';
import { gather } from './gather.ts';

/** What every fault shows in first, and every node can tell, in a census as well. Without one of them nobody is healthy. */
const essential = ['cgroups', 'slices', 'memory', 'pressure', 'reclaim'] as const satisfies ProbeName[];
/** What collect-evidence says of the window where it was told not to watch any: a census may go by the stalls (PSI) alone. */
const notAskedFor = 'not asked for';
/** The same of an examination, which asks for more. */
const essentialWhenExamined = ['unpopulated', 'load', 'mkdirProbe'] as const satisfies ProbeName[];

/**
 * Probes that answer together or not at all, each group with what else is there wherever one of it answers. A node
 * without systemd's tools has none of the first, one without Kubernetes none of the second, and a cluster whose API
 * server is not asked none of the third: that says nothing about the node. But a gap in a group that answers hides what
 * it would have shown. What CloudWatch and the kubelet's metrics tell is never needed: most nodes have neither.
 */
const together = [
  { group: ['sessions', 'agents', 'journal', 'oomKills'], beside: [] },
  { group: ['kubelet', 'containers'], beside: ['workloads', 'throttling'] },
  { group: ['nodeStatus', 'podStatus', 'nodeEvents'], beside: [] },
] as const satisfies { group: ProbeName[]; beside: ProbeName[] }[];

/** Everything that a fault shows in first was seen, and nothing of it is wrong. */
export const healthy: Cause<'healthy'> = {
  id: 'healthy',
  title: 'Everything that is looked at was seen, and nothing of it is wrong.',
  seen: 'Counts of cgroups, memory, memory pressure and reclaim were all read, and each is within its limits.',
  excludedBy:
    'Anything that is looked at is beyond its limit. One gap among the four, and there is no verdict.',

  judge(evidence, thresholds) {
    const findings = findingsOf(evidence, thresholds);
    if (findings.some((finding) => finding.speaks === 'against')) return { result: 'excluded', findings };
    const needs = missingOf(evidence);
    if (needs.length > 0) return { result: 'insufficient-evidence', needs, findings };
    return { result: 'matches', findings };
  },

  explain(findings) {
    return `All ${findings.length} figures that a fault would show in first are within their limits. Nothing on this node asks for a treatment.`;
  },

  untreated: 'Nothing.',

  prevent: () => [],
};

function findingsOf(evidence: Evidence, thresholds: Thresholds) {
  const { findings, atLeast, atMost, fact } = gather(thresholds);
  const weight = 0.5;
  const cgroups = probeValue(evidence.probes.cgroups);
  const memory = probeValue(evidence.probes.memory);

  atMost({
    fact: 'dying memory cgroups',
    value: cgroups?.dying,
    threshold: 'dyingFloor',
    weight,
    source: 'the floor of any node that has booted is below that',
  });
  // Too many directories are a fault to come, whoever has left them there: the walks get slow.
  below('live memory cgroups', cgroups?.live, thresholds.liveCgroups, 'settings thresholds.liveCgroups');
  const eviction = hardEviction(evidence);
  if (eviction !== undefined && eviction.kb > 0) {
    atLeast({
      fact: 'available memory, MiB',
      value: memory && memory.availableKb / 1024,
      threshold: (eviction.kb * thresholds.evictionHeadroom) / 1024,
      weight,
      source: `${thresholds.evictionHeadroom} times ${eviction.source} (settings thresholds.evictionHeadroom)`,
    });
  } else {
    atLeast({
      fact: 'available memory, percent',
      value: memory && (memory.availableKb * 100) / memory.totalKb,
      threshold: 'availablePercent',
      weight,
      source: 'MemAvailable; the eviction threshold of the kubelet is not known',
    });
  }
  atMost({
    fact: 'time stalled on memory, percent',
    value: memoryStallPercent(evidence),
    threshold: 'memoryStallPercent',
    weight,
    source: 'PSI memory avg60',
  });
  atMost({
    fact: 'direct reclaim stalls a second',
    value: allocstallsPerSecond(evidence),
    threshold: 'allocstallsPerSecond',
    weight,
    source: 'vmstat allocstall',
  });
  const direct = directReclaimPercent(evidence);
  const limit = thresholds.directReclaimPercent;
  below('direct reclaim, percent of CPU', direct, limit, 'settings thresholds.directReclaimPercent');
  const most = thresholds.leakedScopes;
  const source = 'settings thresholds.leakedScopes';
  below('scope and session directories without a process', leakedScopes(evidence), most, source);
  below('sessions stuck on their way out, and abandoned scopes', stuckSessions(evidence), most, source);
  below(
    'OOM kills in the last day',
    recentOomKills(evidence),
    thresholds.oomKills,
    'settings thresholds.oomKills',
  );
  const killed = oomKilledContainers(evidence)?.length;
  below('containers killed for memory in the last week', killed, thresholds.oomKills, 'API server');

  const kubelet = probeValue(evidence.probes.kubelet);
  good('kubelet', kubelet?.active, ['active'], 'systemctl');
  good('health endpoint of the kubelet', kubelet?.healthz, [200], '127.0.0.1:10248');
  for (const { type, status } of probeValue(evidence.probes.nodeStatus)?.conditions ?? []) {
    const healthyWhen = conditionsOfHealth[type];
    if (healthyWhen !== undefined) good(`condition ${type}`, status, [healthyWhen], 'API server');
  }
  return findings;

  function below(name: string, value: number | undefined, threshold: number, where: string): void {
    if (value === undefined) return;
    const fine = value < threshold;
    fact({
      fact: name,
      value,
      threshold,
      speaks: fine ? 'for' : 'against',
      source: where,
      ...(fine ? { weight } : {}),
    });
  }

  function good(
    name: string,
    value: string | number | null | undefined,
    wanted: unknown[],
    where: string,
  ): void {
    if (value == null) return;
    const fine = wanted.includes(value);
    fact({ fact: name, value, speaks: fine ? 'for' : 'against', source: where, ...(fine ? { weight } : {}) });
  }
}

const conditionsOfHealth: Readonly<Record<string, string>> = {
  Ready: 'True',
  MemoryPressure: 'False',
  PIDPressure: 'False',
};

/** The probes without which nobody can call this node healthy. */
function missingOf(evidence: Evidence): string[] {
  const answered = (probe: ProbeName): boolean => evidence.probes[probe].status === 'ok';
  const examined = evidence.profile === 'full' ? essentialWhenExamined : [];
  const partners = together.flatMap(({ group, beside }) =>
    group.some(answered) ? [...group, ...beside] : [],
  );
  const parts = [
    ...(answered('reclaim') && allocstallsPerSecond(evidence) === undefined ? ['reclaim.allocstall'] : []),
    // It is there, and nobody could ask it.
    ...(evidence.probes.kubelet.status === 'failed' ? ['kubelet'] : []),
  ];
  const { reclaim } = evidence.probes;
  const unwatched =
    evidence.profile === 'quick' && reclaim.status === 'missing' && reclaim.reason === notAskedFor;
  const gaps = [...essential, ...examined, ...partners].filter(
    (probe) => !answered(probe) && !(unwatched && probe === 'reclaim'),
  );
  return [...new Set<string>([...gaps, ...parts])];
}
