import { Settings } from '../../lambdas/domain/settings.ts';
import { shipped } from '../local-settings.ts';
import { afterNo } from './checks/after-no.ts';
import { inFlight, type Peak, peaksOf } from './checks/in-flight.ts';
import { leftBehind } from './checks/left-behind.ts';
import { countMessages, tooManyMessages } from './checks/messages.ts';
import { oneIncident } from './checks/one-incident.ts';
import { overWave } from './checks/over-wave.ts';
import { overQuota, type Rate, ratesOf, type Timed } from './checks/rates.ts';
import { trailProblems } from './checks/trails.ts';
import { untold } from './checks/untold.ts';
import { type CohortSeen, cohortsOf } from './cohorts.ts';
import { treatedIn, type Violation } from './facts.ts';
import type { StormOptions } from './options.ts';
import { profilesOf, project } from './projection.ts';
import type { Storm } from './run-storm.ts';

/** What a storm came to: the JSON of the command. */
export type StormResult = {
  violations: Violation[];
  nodes: number;
  seed: number;
  cause: string;
  mode: string;
  approve: string;
  seconds: number;
  fates: Record<string, number>;
  /** Outputs of the real documents that were recorded, and the nodes that they ran on. */
  recorded: { outputs: number; samples: number };
  incidents: number;
  /** What the incidents were diagnosed with at first; most are looked at again before they are treated. */
  causes: Record<string, number>;
  outcomes: Record<string, number>;
  cards: { asked: number; answers: Record<string, number> };
  /** Nodes that were decided on and treated together. */
  cohorts: CohortSeen[];
  treated: { treatment: string; count: number; nodes: number }[];
  /** Treatments that began within each tenth of the time that they took. */
  timeline: { fromSeconds: number; began: number; open: number }[];
  refused: Record<string, number>;
  messages: { byKind: Record<string, number>; told: number; most: number };
  inFlight: Peak[];
  /** As a deployment would have made them, and the peak that this machine came to. */
  rates: (Rate & { peakHere: number })[];
  audit: string;
};

const buckets = 10;

export function resultOf(storm: Storm, options: StormOptions): StormResult {
  const cluster = storm.settings.clusters[storm.cluster] ?? shipped();
  const { budget } = cluster.gates;
  const rates = ratesOf(projected(storm));
  const here = new Map(ratesOf(callsHere(storm)).map(({ call, peak }) => [call, peak]));
  const treated = storm.trails.flatMap(treatedIn);
  const entries = storm.trails.flatMap((trail) => trail.entries);
  return {
    violations: [
      ...trailProblems(storm),
      ...oneIncident(storm),
      ...inFlight(storm, budget),
      ...overWave(storm),
      ...afterNo(storm),
      ...tooManyMessages(storm, cluster.roll),
      ...untold(storm),
      ...leftBehind(storm),
      ...overQuota(rates),
      ...[...new Set(storm.unanswered)].map((what) => ({ check: 'unanswered', what })),
    ],
    nodes: options.nodes,
    seed: options.seed,
    cause: options.cause,
    mode: options.mode,
    approve: options.approve,
    seconds: Math.round(storm.seconds),
    fates: counted(storm.nodes.map(({ fate }) => fate)),
    recorded: storm.tape,
    incidents: storm.trails.length,
    causes: counted(storm.trails.flatMap(firstCause)),
    outcomes: counted(
      entries.flatMap(({ step, outcome }) => (step === 'incident.closed' ? [outcome ?? 'none'] : [])),
    ),
    cards: { asked: storm.cards.length, answers: counted(storm.cards.map(({ answer }) => answer)) },
    cohorts: cohortsOf(storm.trails),
    treated: [...Map.groupBy(treated, ({ treatment }) => treatment)].map(([treatment, own]) => ({
      treatment,
      count: own.length,
      nodes: new Set(own.map(({ instanceId }) => instanceId)).size,
    })),
    timeline: timelineOf(treated),
    refused: counted(
      entries.flatMap(({ step, outcome, actor }) =>
        step === 'gated' && ['refuse', 'skip', 'observe'].includes(outcome ?? '')
          ? [`${outcome} by ${actor.id}`]
          : [],
      ),
    ),
    messages: {
      byKind: counted(storm.messages.map(({ kind }) => kind)),
      ...toldOf(storm, cluster.roll),
    },
    inFlight: peaksOf(storm, budget),
    rates: rates.map((rate) => ({ ...rate, peakHere: here.get(rate.call) ?? 0 })),
    audit: storm.directory.audit,
  };
}

function firstCause({ entries }: Storm['trails'][number]): string[] {
  const first = entries.find(({ step }) => step === 'diagnosed');
  return first === undefined ? [] : [first.outcome ?? 'none'];
}

function toldOf(...given: Parameters<typeof countMessages>): { told: number; most: number } {
  const { count, most } = countMessages(...given);
  return { told: count, most };
}

function projected({ visits, functions, served, calls }: Storm): Timed[] {
  const { command } = Settings.parse({ clusters: { any: {} } });
  return project({
    visits,
    functions,
    profiles: profilesOf(served, calls),
    deployed: { cluster: shipped(), command },
  });
}

function callsHere({ calls, visits, served }: Storm): Timed[] {
  const keys = new Set(served.map(({ accessKey }) => accessKey));
  return [
    ...calls
      .filter(({ accessKey }) => keys.has(accessKey))
      .map(({ service, call, at }) => ({ call: `${service}:${call}`, at: at.getTime() / 1000 })),
    ...[...visits.values()]
      .flat()
      .map(({ enteredAt }) => ({ call: 'states:StateTransition', at: enteredAt / 1000 })),
    ...served.map(({ startedAt }) => ({ call: 'lambda:Invoke', at: startedAt / 1000 })),
  ];
}

function timelineOf(treated: ReturnType<typeof treatedIn>): StormResult['timeline'] {
  if (treated.length === 0) return [];
  const first = Math.min(...treated.map(({ from }) => from));
  const last = Math.max(...treated.map(({ until }) => until));
  const width = Math.max(1, (last - first) / buckets);
  return Array.from({ length: buckets }, (_, index) => {
    const from = first + index * width;
    const to = from + width;
    return {
      fromSeconds: Math.round((from - first) / 1000),
      began: treated.filter((one) => one.from >= from && (one.from < to || index === buckets - 1)).length,
      open: treated.filter((one) => one.from < to && one.until >= from).length,
    };
  });
}

function counted(list: readonly string[]): Record<string, number> {
  const groups = [...Map.groupBy(list, (one) => one)].sort(([, a], [, b]) => b.length - a.length);
  return Object.fromEntries(groups.map(([name, own]) => [name, own.length]));
}
