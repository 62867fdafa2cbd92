import { hardEviction } from '../evidence/eviction.ts';
import { type Evidence, type ProbeName, serviceProbes } from '../evidence/evidence.ts';
import { oomKilledContainers, recentOomKills } from '../evidence/oom-kills.ts';
import { notAskedFor, notCollected, type Probe, probeValue } from '../evidence/probe.ts';
import { leakedScopes, stuckSessions } from '../evidence/producers.ts';
import { allocstallsPerSecond, directReclaimPercent, memoryStallPercent } from '../evidence/reclaiming.ts';
import type { Thresholds } from '../thresholds.ts';
import type { Cause } from './cause.ts';
import { gather } from './gather.ts';

/**
 * What every fault shows in first, and every node can tell, in a census as well. Without one of them nobody is healthy.
 * On the kernel depends what an error about cgroups means.
 */
const essential = [
  'host',
  'cgroups',
  'slices',
  'memory',
  'pressure',
  'reclaim',
] as const satisfies ProbeName[];
/** The same of an examination, which asks for more. */
const essentialWhenExamined = ['unpopulated', 'load', 'mkdirProbe'] as const satisfies ProbeName[];

/** A node has systemd's tools, which tell all of these, or it has none of them. */
const bySystemd = ['sessions', 'agents', 'journal', 'oomKills'] as const satisfies ProbeName[];
/** What is there wherever there is Kubernetes, and what says that there is: no one of them alone, for that one may be lost. */
const ofKubernetes = ['kubelet', 'containers', 'workloads', 'throttling'] as const satisfies ProbeName[];
const saysKubernetes = [
  'kubelet',
  'containers',
  'nodeStatus',
  'podStatus',
  'nodeEvents',
  'kubeletMetrics',
] as const satisfies ProbeName[];
/**
 * What is known around a node. Many a cluster has only some of these, and whoever asks says which it cannot have
 * (`byDesign`). Any other gap hides a fault that shows nowhere else. Where nobody asked, as in a census, none is needed.
 */
const aroundNode = [
  'nodeStatus',
  'podStatus',
  'nodeEvents',
  'kubeletMetrics',
  'trend',
  'console',
] as const satisfies ProbeName[];

/** Everything that a fault shows in first was seen, and nothing of it is wrong. */
export const healthy: Cause<'healthy'> = {
  id: 'healthy',
  title: 'Everything that is looked at was seen, and nothing of it is wrong.',
  seen: 'Counts of cgroups, memory, memory pressure and reclaim were all read, and each is within its limits.',
  excludedBy:
    'Anything that is looked at is beyond its limit. A gap among the four, or among what this node can tell besides, and there is no verdict.',

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
  const { reclaim } = evidence.probes;
  const answered = (probe: ProbeName): boolean => evidence.probes[probe].status === 'ok';
  const hasKubernetes = saysKubernetes.some(answered);
  const needed: ProbeName[] = [
    ...essential,
    ...(evidence.profile === 'full' ? essentialWhenExamined : []),
    ...(bySystemd.some(answered) || isHalfAnExamination(evidence) ? bySystemd : []),
    ...(hasKubernetes ? ofKubernetes : []),
    ...(aroundNode.some((probe) => answered(probe) || isByDesign(evidence.probes[probe])) ? aroundNode : []),
    // Those are there, and nobody could read them. What asks systemd also fails where there is none.
    ...(['kubelet', ...aroundNode] as const).filter((probe) => evidence.probes[probe].status === 'failed'),
  ];
  // A census may go by the stalls (PSI) alone.
  const unwatched =
    evidence.profile === 'quick' && reclaim.status === 'missing' && reclaim.reason === notAskedFor;
  const gaps = needed.filter(
    (probe) => !answered(probe) && !(unwatched && probe === 'reclaim') && !isByDesign(evidence.probes[probe]),
  );
  const stalls = answered('reclaim') && allocstallsPerSecond(evidence) === undefined;
  return [...new Set<string>([...gaps, ...(stalls ? ['reclaim.allocstall'] : [])])];
}

/** An examination is two documents, and of the second there is no word, not even that this node has nothing of it. */
function isHalfAnExamination({ profile, probes }: Evidence): boolean {
  return (
    profile === 'full' &&
    serviceProbes.every((name) => {
      const probe = probes[name];
      return probe.status === 'missing' && probe.reason === notCollected;
    })
  );
}

function isByDesign(probe: Probe<unknown>): boolean {
  return probe.status === 'missing' && probe.byDesign === true;
}
