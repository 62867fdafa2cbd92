import type { ProbeName } from '../../../lambdas/domain/evidence/evidence.ts';
import type { Leftover, Tried } from '../../../lambdas/domain/evidence/observations.ts';
import type { SeriesName } from '../../../lambdas/domain/evidence/trend.ts';

type Part = { [key: string]: unknown };
/** A series of the trend, or the memory of the agent: that one is a working set as well, of a workload that is named. */
export type Figure = SeriesName | 'agent';
type Course = 'rises' | 'steady' | 'falls';
export type LeakedKind = 'pod' | 'scope' | 'session' | 'other';

/** What says something only together with other facts. */
type Notes = {
  /** Memory cgroups that the kernel counts, the dying ones among them. */
  memoryCgroups?: number;
  directories?: number;
  /** Memory cgroups that a drop of the caches left. */
  leftAfterDrop?: number;
  dying?: number;
  leaked: Partial<Record<LeakedKind, number>>;
  /** Directories that nobody has a process in. */
  empty?: boolean;
  failedEvents?: number;
  sandboxesFail?: boolean;
  eventSeconds?: number;
  /** From the first figure to the last. */
  spanSeconds?: number;
  ends: Partial<Record<Figure, { start?: number; end?: number }>>;
  listedSessions?: number;
  closing?: boolean;
  /** Until the table of sessions was full. */
  fullAfterSeconds?: number;
  after?: Leftover['after'];
  containers?: number;
  hotspotPercent?: number;
  sizes: Part;
  throttling: Part;
  ratio?: number;
  latency: { with?: number; without?: number };
  agent: Part;
  agentSeries: Part;
  workload: Part;
  oomKilledPods?: number;
  owner?: string;
  /** A course of "memory", without saying whose. */
  memoryCourse?: Course;
  /** Restarts, OOM kills and a restart that helped, without saying whose. */
  restarts?: number;
  oomKills?: number;
  restartHelped?: boolean;
  heap: string[];
};

type Hint = { probe: ProbeName; part: Part };

/** Evidence on its way: parts of probes, and what has to wait for other facts. */
export type Draft = {
  probes: Partial<Record<ProbeName, Part>>;
  missing: Part;
  /** The least that follows from a fact, where no other says more. */
  hints: Hint[];
  notes: Notes;
};

export function newDraft(): Draft {
  return {
    probes: {},
    missing: {},
    hints: [],
    notes: {
      leaked: {},
      ends: {},
      sizes: {},
      throttling: {},
      latency: {},
      agent: {},
      agentSeries: {},
      workload: {},
      heap: [],
    },
  };
}

/** Adds to a probe. Whoever says something first is believed; lists grow. */
export function say(draft: Draft, probe: ProbeName, part: Part): void {
  draft.probes[probe] = merged(draft.probes[probe] ?? {}, part);
}

/** Once at least: a message was seen, something has happened. A fact with the number says more. */
export function atLeast(draft: Draft, probe: ProbeName, part: Part): void {
  draft.hints.push({ probe, part });
}

export function tried(draft: Draft, what: Tried, helped: boolean): void {
  const known = (draft.probes.observations?.tried ?? []) as { what: Tried }[];
  if (known.some((entry) => entry.what === what)) return;
  say(draft, 'observations', { tried: [{ what, helped }] });
}

export function course(draft: Draft, name: Figure, where: Course): void {
  sayOf(draft, name, { course: where });
}

export function perDay(draft: Draft, name: Figure, value: number): void {
  sayOf(draft, name, { perDay: value });
}

/** [seconds, value], from an arbitrary beginning. */
export function points(draft: Draft, name: Figure, values: [number, number][]): void {
  sayOf(draft, name, { points: values });
}

/** A figure at one end of the time that was looked at. */
export function end(draft: Draft, name: Figure, stage: 'start' | 'end', value: number): void {
  draft.notes.ends[name] = { [stage]: value, ...draft.notes.ends[name] };
}

function sayOf(draft: Draft, name: Figure, part: Part): void {
  const series = { source: 'report', ...part };
  if (name === 'agent') draft.notes.agentSeries = merged(draft.notes.agentSeries, series);
  else say(draft, 'trend', { series: { [name]: series } });
}

export function merged(known: Part, more: Part): Part {
  const both = { ...known };
  for (const [key, value] of Object.entries(more)) {
    const before = both[key];
    if (before === undefined || before === null) both[key] = value;
    else if (Array.isArray(before) && Array.isArray(value)) both[key] = [...before, ...value];
    else if (isPart(before) && isPart(value)) both[key] = merged(before, value);
  }
  return both;
}

function isPart(value: unknown): value is Part {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
