import { atLeast, course, type Draft, type Figure, perDay, points, say, tried } from './draft.ts';

/** Turns what facts say only together into parts of probes. Nothing is added that none of them said. */
export function finish(draft: Draft): void {
  unattributed(draft);
  cgroups(draft);
  courses(draft);
  leftovers(draft);
  sessions(draft);
  events(draft);
  containers(draft);
  throttling(draft);
  pods(draft);
  agents(draft);
  profile(draft);
  nodeMemory(draft);
  for (const { probe, part } of draft.hints) say(draft, probe, part);
}

function cgroups(draft: Draft): void {
  const { memoryCgroups, directories, empty, leaked } = draft.notes;
  if (directories !== undefined && empty === true && Object.keys(leaked).length === 0)
    leaked.other = directories;
  const before = draft.notes.dying ?? memoryCgroups;
  const left = draft.notes.leftAfterDrop;
  if (left !== undefined && before !== undefined) tried(draft, 'drop-caches', left < before / 2);
  const kinds = Object.values(leaked);
  if (kinds.length > 0) {
    say(draft, 'unpopulated', { pod: 0, scope: 0, session: 0, other: 0, ...leaked, checked: 0, sample: [] });
  }
  const live = directories ?? (kinds.length > 0 ? sum(kinds) : undefined);
  const hidden =
    memoryCgroups === undefined || live === undefined ? undefined : Math.max(0, memoryCgroups - live);
  const dying = draft.notes.dying ?? hidden;
  const counted =
    live ?? (memoryCgroups === undefined || dying === undefined ? undefined : memoryCgroups - dying);
  if (counted !== undefined && counted >= 0 && dying !== undefined) {
    say(draft, 'cgroups', {
      live: counted,
      dying,
      source: memoryCgroups === undefined ? 'cgroup.stat' : 'proc-cgroups',
    });
  } else if (live !== undefined || dying !== undefined) {
    say(draft, 'observations', { cgroups: { live: live ?? null, dying: dying ?? null } });
  }
}

function sessions(draft: Draft): void {
  const { listedSessions, closing, fullAfterSeconds } = draft.notes;
  if (listedSessions !== undefined) say(draft, 'sessions', { open: listedSessions });
  // "closing" is the state of those that were listed; of a single one where no list is given.
  if (closing === true) say(draft, 'sessions', { closing: listedSessions ?? 1 });
  if (listedSessions !== undefined && fullAfterSeconds !== undefined) {
    say(draft, 'sessions', { logins: listedSessions, coveredSeconds: Math.round(fullAfterSeconds) });
  }
}

/** Who makes them, and what each of them leaves. */
function leftovers(draft: Draft): void {
  const { closing, after } = draft.notes;
  if (after === undefined) return;
  const directories = Object.keys(draft.notes.leaked).length > 0;
  const stuck = closing === true || draft.probes.sessions?.closing !== undefined;
  const course = Object.keys((draft.probes.trend?.series ?? {}) as object);
  const level = Object.keys((draft.probes.observations?.memory ?? {}) as object);
  const kernel = [...course, ...level].some((name) => ['slabUnreclaimableKb', 'percpuKb'].includes(name));
  if (kernel) say(draft, 'observations', { leftovers: [{ after, what: 'kernel-memory' }] });
  if (directories) say(draft, 'observations', { leftovers: [{ after, what: 'directory' }] });
  else if (stuck && after === 'login')
    say(draft, 'observations', { leftovers: [{ after, what: 'session' }] });
}

function events(draft: Draft): void {
  const { eventSeconds, sandboxesFail } = draft.notes;
  // One at least, where they fail at all.
  const failedEvents = draft.notes.failedEvents ?? (sandboxesFail === true ? 1 : undefined);
  if (failedEvents === undefined) return;
  const errno = draft.probes.mkdirProbe?.errno;
  say(draft, 'nodeEvents', {
    coveredSeconds: eventSeconds ?? null,
    reasons: [{ reason: 'FailedCreatePodSandBox', count: failedEvents }],
    ...(errno === 'ENOSPC' ? { sandboxNoSpace: failedEvents } : {}),
    ...(errno === 'ENOMEM' ? { sandboxNoMemory: failedEvents } : {}),
  });
}

function containers(draft: Draft): void {
  const all = draft.notes.containers;
  const known = draft.probes.containers;
  if (all === undefined) return;
  const { running, exited } = (known ?? {}) as { running?: number; exited?: number };
  if (running !== undefined && exited === undefined)
    say(draft, 'containers', { exited: Math.max(0, all - running) });
  else if (running === undefined && exited !== undefined) {
    say(draft, 'containers', { running: Math.max(0, all - exited) });
  }
}

function throttling(draft: Draft): void {
  const { throttling: figures, ratio, latency } = draft.notes;
  if (latency.with !== undefined && latency.without !== undefined && latency.with > latency.without) {
    const helped = latency.with >= 2 * latency.without;
    tried(draft, 'remove-cpu-limit', helped);
  }
  const counted = figures.periods !== undefined && figures.throttledPeriods !== undefined;
  // A share is written as so many of a thousand periods.
  const perMille = ratio === undefined ? {} : { periods: 1000, throttledPeriods: Math.round(ratio * 1000) };
  if (!counted && ratio === undefined) return;
  const entry = { ...figures, ...(counted ? {} : perMille) };
  say(draft, 'throttling', {
    cgroups: 1,
    withQuota: 1,
    throttled: Number(entry.throttledPeriods) > 0 ? 1 : 0,
    top: [{ path: unnamed, ...entry }],
  });
}

function pods(draft: Draft): void {
  const { oomKilledPods, owner, workload } = draft.notes;
  if (oomKilledPods !== undefined) {
    say(draft, 'podStatus', {
      oomKilled: [
        {
          pod: workload.pod ?? null,
          owner: owner === undefined ? null : { kind: owner, name: unnamed },
          restarts: workload.restarts ?? null,
          limitKb: workload.limitKb ?? null,
        },
      ],
    });
  }
  if (workload.workingSetKb !== undefined) {
    const { pod = null, workingSetKb, limitKb = null } = workload;
    say(draft, 'workloads', { pods: 1, top: [{ pod, workingSetKb, limitKb }] });
  }
}

function agents(draft: Draft): void {
  const { agent } = draft.notes;
  if (Object.keys(agent).length === 0) return;
  const { unit = 'agent', ...told } = agent;
  say(draft, 'agents', { total: 1, entries: [{ unit: unitName(String(unit)), ...told }] });
}

/** A name that the schema asks for, and that no report gives. */
const unnamed = '(not named)';

function unitName(unit: string): string {
  return unit.includes('.') ? unit : `${unit}.service`;
}

/** A profile belongs to the kubelet, unless the report is about another process. */
function profile(draft: Draft): void {
  const { heap, agent, oomKilledPods } = draft.notes;
  if (heap.length === 0 || Object.keys(agent).length > 0 || oomKilledPods !== undefined) return;
  say(draft, 'observations', { kubeletHeap: heap.slice(0, 10) });
}

/** Whose memory a report is about that does not say whose. */
function subjectOf({ probes, notes }: Draft): 'workingSetKb' | 'agent' | 'kubeletRssKb' | undefined {
  const { oomKilledPods, owner, workload, ends, agent } = notes;
  const ofPod = probes.trend !== undefined && 'workingSetKb' in ((probes.trend.series ?? {}) as object);
  if (oomKilledPods !== undefined || owner !== undefined || Object.keys(workload).length > 0)
    return 'workingSetKb';
  if (ends.workingSetKb !== undefined || ofPod) return 'workingSetKb';
  if (Object.keys(agent).length > 0) return 'agent';
  return probes.kubelet === undefined ? undefined : 'kubeletRssKb';
}

/** What is said of nobody belongs to what the report is about. */
function unattributed(draft: Draft): void {
  const { restarts, oomKills, restartHelped, workload, agent } = draft.notes;
  const about = subjectOf(draft);
  if (restarts !== undefined && about === 'workingSetKb') workload.restarts ??= restarts;
  if (restarts !== undefined && about === 'agent') agent.restarts ??= restarts;
  if (oomKills !== undefined && about === 'workingSetKb') draft.notes.oomKilledPods ??= oomKills;
  else if (oomKills !== undefined) atLeast(draft, 'oomKills', { source: 'report', seen: oomKills });
  if (restartHelped === undefined || about === undefined) return;
  tried(draft, restartOf[about], restartHelped);
}

const restartOf = {
  workingSetKb: 'restart-workload',
  agent: 'restart-agent',
  kubeletRssKb: 'restart-kubelet',
} as const;

function courses(draft: Draft): void {
  const { ends, spanSeconds, memoryCourse, agent, sizes } = draft.notes;
  const about = subjectOf(draft);
  if (about !== undefined && memoryCourse !== undefined) course(draft, about, memoryCourse);
  if (about !== undefined && sizes.growthPerDay !== undefined)
    perDay(draft, about, Number(sizes.growthPerDay));
  for (const [name, { start, end }] of Object.entries(ends)) {
    if (start === undefined || end === undefined) continue;
    course(draft, name as Figure, end > start ? 'rises' : end < start ? 'falls' : 'steady');
    if (spanSeconds === undefined) continue;
    points(draft, name as Figure, [
      [0, start],
      [Math.max(1, Math.round(spanSeconds)), end],
    ]);
  }
  const ofAgent = draft.notes.agentSeries;
  if (Object.keys(ofAgent).length === 0) return;
  say(draft, 'trend', {
    series: { workingSetKb: ofAgent },
    workload: unitName(String(agent.unit ?? 'agent')),
  });
}

function nodeMemory(draft: Draft): void {
  const { sizes } = draft.notes;
  const told = [
    'limitsKb',
    'requestsKb',
    'limitsPercent',
    'requestsPercent',
    'podsWithoutLimit',
    'allocatableKb',
  ];
  const memory = Object.fromEntries(
    told.flatMap((name) => (sizes[name] === undefined ? [] : [[name, sizes[name]]])),
  );
  if (Object.keys(memory).length > 0) say(draft, 'nodeStatus', { memory });
}

function sum(numbers: number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
