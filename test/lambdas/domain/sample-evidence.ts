import { Evidence } from '../../../lambdas/domain/evidence/evidence.ts';
import type { SeriesName } from '../../../lambdas/domain/evidence/trend.ts';
import { type Cluster, Settings } from '../../../lambdas/domain/settings.ts';

type Probes = Partial<Record<keyof Evidence['probes'], unknown>>;

const calm = { avg10: 0, avg60: 0, avg300: 0, totalUs: 0 };
export function ok(value: unknown) {
  return { status: 'ok', value };
}

const quietSessions = {
  open: 0,
  closing: 0,
  abandonedScopes: 0,
  abandonedSample: [],
  logins: 0,
  coveredSeconds: 3600,
  users: [],
  memoryCgroup: 'session',
};

const healthyProbes = {
  host: ok({ kernel: '6.1.0', os: 'Amazon Linux 2023', bootId: 'boot-1', uptimeSeconds: 1000, cpus: 2 }),
  hierarchy: ok({ memory: 'v2', layout: 'unified', mount: '/sys/fs/cgroup' }),
  cgroups: ok({ live: 120, dying: 18, source: 'cgroup.stat' }),
  slices: ok({ entries: [], omitted: 0, unread: 0 }),
  memory: ok({
    totalKb: 8_000_000,
    availableKb: 5_000_000,
    cachedKb: 2_000_000,
    slabReclaimableKb: 1,
    slabUnreclaimableKb: 1,
    percpuKb: 1,
    shmemKb: 1,
    dirtyKb: 1,
  }),
  pressure: ok({
    memory: { some: calm, full: calm },
    io: { some: calm, full: calm },
    cpu: { some: calm, full: null },
  }),
  reclaim: ok({
    windowMs: 1000,
    pgscanDirect: 0,
    pgscanKswapd: 0,
    pgstealDirect: 0,
    pgstealKswapd: 0,
    allocstall: 0,
    pgmajfault: 0,
  }),
  history: ok({ samples: [] }),
  kmem: ok({ accounting: 'on', usageKb: 1000 }),
  unpopulated: ok({ pod: 0, scope: 0, session: 0, other: 0, checked: 0, sample: [] }),
  mkdirProbe: ok({ made: 20, errno: null }),
  kubelet: ok({ unit: 'kubelet.service', active: 'active', sub: 'running', result: 'success' }),
  containers: ok({
    running: 12,
    exited: 1,
    oldestExitedSeconds: 60,
    other: 0,
    sandboxesReady: 12,
    sandboxesNotReady: 0,
  }),
  sessions: ok(quietSessions),
  timers: ok({ coveredSeconds: 3600, cronRuns: 0, timerRuns: 2, timers: [], shortLived: [] }),
  agents: ok({ total: 0, failed: 0, entries: [], omitted: 0 }),
  workloads: ok({ pods: 12, unread: 0, top: [] }),
  oomKills: ok({ sinceBoot: 0, source: 'journal', coveredSeconds: 3600, seen: 0, ofKubelet: 0, recent: [] }),
  journal: ok({ coveredSeconds: 3600, lines: 100, cutOff: false, cgroupNoSpace: 0, cgroupNoMemory: 0 }),
  throttling: ok({ windowMs: 1000, cgroups: 30, omitted: 0, withQuota: 0, throttled: 0, top: [] }),
  load: ok({
    averages: [0.1, 0.1, 0.1],
    running: 1,
    threads: 200,
    processes: 100,
    blocked: 0,
    blockedIn: [],
    shares: {},
  }),
  churn: ok({ source: 'tracepoints', windowMs: 1000, made: 0, removed: 0, lost: 0, patterns: [] }),
  nodeStatus: ok({
    conditions: [
      { type: 'Ready', status: 'True', reason: 'KubeletReady', sinceSeconds: 900 },
      { type: 'MemoryPressure', status: 'False', reason: 'KubeletHasSufficientMemory', sinceSeconds: 900 },
    ],
    unschedulable: false,
    taints: [],
    memory: {
      capacityKb: 8_000_000,
      allocatableKb: 7_000_000,
      requestsKb: 3_000_000,
      limitsKb: 5_000_000,
      podsWithoutLimit: 0,
    },
    cpu: { allocatableMillicores: 1930, requestsMillicores: 900, limitsMillicores: 1500 },
    pods: { allocatable: 29, running: 12, pending: 0 },
  }),
  podStatus: ok({ coveredSeconds: 3600, started: 1, ended: 1, evicted: 0, oomKilled: [], agents: [] }),
  nodeEvents: ok({ coveredSeconds: 3600, reasons: [], sandboxNoSpace: 0, sandboxNoMemory: 0 }),
  kubeletMetrics: ok({
    rssKb: 90_000,
    goroutines: 220,
    startedSecondsAgo: 900,
    plegRelistP99Seconds: 0.1,
    podWorkerP99Seconds: 1,
    evictionStatsAgeP99Seconds: 10,
    runningContainers: 12,
    exitedContainers: 1,
    runningPods: 12,
    orphanedRuntimePods: 0,
    evictions: {},
    cgroupVersion: 2,
  }),
  trend: trend({ kubeletRssKb: [90_000, 0] }),
  console: ok({ lines: 10, oomKills: 0, ofKubelet: 0, hungTasks: 0, cgroupNoSpace: 0, panics: 0, last: [] }),
} satisfies Probes;

/** Courses over two days, an hour from point to point: where each begins, and how much it rises a day. */
export function trend(
  courses: Partial<Record<SeriesName, readonly [start: number, perDay: number]>>,
  more: Record<string, unknown> = {},
) {
  const from = Date.parse('2026-11-19T06:30:00Z') / 1000;
  const series = Object.entries(courses).map(([name, [start, perDay]]) => [
    name,
    {
      source: 'cloudwatch',
      points: Array.from({ length: 49 }, (_, hour) => [from + hour * 3600, start + (perDay * hour) / 24]),
    },
  ]);
  return ok({ series: Object.fromEntries(series), ...more });
}

/** Evidence of a healthy node, with the probes given in place of its own. */
export function evidenceWith(probes: Probes = {}): Evidence {
  return Evidence.parse({
    version: 1,
    document: 'collect-evidence',
    profile: 'full',
    collectedAt: '2026-11-21T06:30:00Z',
    probes: { ...healthyProbes, ...probes },
  });
}

export function cgroups(live: number, dying: number) {
  return ok({ live, dying, source: 'cgroup.stat' });
}

export function sessions(change: Record<string, unknown>) {
  return ok({ ...quietSessions, ...change });
}

/** A service of the host that systemd starts again and again. */
export function loopingAgent(change: Record<string, unknown> = {}) {
  const agent = {
    unit: 'ecs.service',
    active: 'activating',
    sub: 'auto-restart',
    unitFile: 'enabled',
    restarts: 20_000,
    memoryKb: 900,
    cpuSeconds: 1,
    requiredBy: [],
    wantedBy: [],
    containers: 0,
    ...change,
  };
  return ok({ total: 1, failed: 0, entries: [agent], omitted: 0 });
}

export function slices(...entries: { path: string; dying?: number | null; ghostKb?: number | null }[]) {
  const full = entries.map((entry) => ({ live: 1, dying: null, ghostKb: null, cachedKb: null, ...entry }));
  return ok({ entries: full, omitted: 0, unread: 0 });
}

export const missing = { status: 'missing', reason: 'not there' };
/** What whoever asked knows to be nowhere. */
export const notHere = { status: 'missing', reason: 'nobody is to ask for it', byDesign: true };

/** Settings of one cluster named `prod`, as they are without any of the user's own. */
export function clusterWith(settings: Record<string, unknown> = {}): Cluster {
  const { prod } = Settings.parse({ clusters: { prod: settings } }).clusters;
  if (prod === undefined) throw new Error('no cluster');
  return prod;
}
