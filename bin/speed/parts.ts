import type { Spread } from './spread.ts';

/** What a number is worth. A part that is assumed has no source that gives its time; the reason for the number stands there. */
export type Kind = 'published' | 'measured' | 'assumed' | 'setting';

export type Part = { what: string; kind: Kind; source: string };
export type TimedPart = Part & Spread;

const messaging = 'https://bitesizedserverless.com/bite/serverless-messaging-latency-compared/';

/** Parts that take the same on every deployment: the times of services, in seconds. Nothing of this has been measured in an account. */
export const serviceParts = {
  alarmEvent: {
    what: 'CloudWatch: from the state of the alarm to its event',
    p50: 1,
    p99: 10,
    kind: 'assumed',
    source: 'AWS publishes no time',
  },
  eventBus: {
    what: 'EventBridge: from the event to the queue',
    p50: 0.148,
    p99: 0.387,
    kind: 'published',
    source: `${messaging} (2023, to a function)`,
  },
  queue: {
    what: 'SQS: from the queue to intake, no batching window',
    p50: 0.0162,
    p99: 0.105,
    kind: 'published',
    source: `${messaging} (2022)`,
  },
  execution: {
    what: 'Step Functions: start of the execution',
    p50: 0.142,
    p99: 0.313,
    kind: 'published',
    source: `${messaging} (2022)`,
  },
  transition: {
    what: 'Step Functions: entering a state',
    p50: 0.0991,
    p99: 0.25,
    kind: 'published',
    source: `${messaging} (2022, start of an execution to its function: more than a Choice takes)`,
  },
  coldStart: {
    what: 'Lambda: a place for the first call of a function, without its init',
    p50: 0.3,
    p99: 1.5,
    kind: 'assumed',
    source:
      'AWS publishes "under 100 ms to over 1 second": https://docs.aws.amazon.com/lambda/latest/operatorguide/execution-environments.html',
  },
  calls: {
    what: 'functions: what each waits for other services (lease, audit, SSM)',
    p50: 0.15,
    p99: 1,
    kind: 'assumed',
    source: 'some ten calls of some ten ms each; retries in the tail',
  },
  around: {
    what: 'examine-around: metrics, API server, console',
    p50: 1.5,
    p99: 12,
    kind: 'assumed',
    source: 'cut off after 20 s by lambdas/handlers/examine-around.ts',
  },
  delivery: {
    what: 'SSM: from SendCommand to the script',
    p50: 1.5,
    p99: 15,
    kind: 'assumed',
    source:
      'the agent holds a request open for 20 s and asks again: https://github.com/aws/amazon-ssm-agent/issues/80; AWS publishes no time',
  },
  report: {
    what: 'SSM: from the end of the script to its answer',
    p50: 0.5,
    p99: 5,
    kind: 'assumed',
    source: 'AWS publishes no time',
  },
} as const satisfies Record<string, TimedPart>;
export type ServiceParts = Readonly<Record<keyof typeof serviceParts, TimedPart>>;

/** Parts whose time is made of figures of this repository or of the settings. */
export const derivedParts = {
  init: {
    what: 'functions: init at the first call',
    kind: 'measured',
    source: '`npm run bench -- bundles`, by the share of a CPU that the memory gives',
  },
  run: {
    what: 'functions: their own work',
    kind: 'measured',
    source:
      '`npm run bench -- spine`, by phase and that share; the start of a process is in it, so it counts twice',
  },
  document: {
    what: 'on the node: collect-evidence with its window, or collect-services where that ends later',
    kind: 'measured',
    source: '`npm run bench -- node evidence` and `examination.windowSeconds`; the tail is assumed',
  },
  waiting: {
    what: 'waits between two looks at a command',
    kind: 'setting',
    source:
      '`command.pollSeconds`, `maxPollSeconds`, `evidenceSeconds`, and the Wait states of the state machine',
  },
} as const satisfies Record<string, Part>;

/** The parts, with all of those that are assumed so many times as long. */
export function slower(times: number): ServiceParts {
  const entries = Object.entries<TimedPart>(serviceParts).map(([name, part]) => {
    const { p50, p99, kind } = part;
    return [name, kind === 'assumed' ? { ...part, p50: p50 * times, p99: p99 * times } : part];
  });
  return Object.fromEntries(entries) as ServiceParts;
}

export type PartName = keyof typeof serviceParts | keyof typeof derivedParts;

export const assumptions = {
  /** Incidents whose node takes no command at all. They are diagnosed from around the node, after `command.evidenceSeconds`. */
  unansweredShare: 0.02,
  /** What 99 of 100 do not exceed, times the middle: init and work of a function; evidence on a node that is short of CPU. */
  functionTail: 2,
  documentTail: 20,
  /** MB of memory for one CPU: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
  mbOfOneCpu: 1769,
  /** The most that examine-around lets anything take, in seconds. */
  aroundMost: 20,
} as const;
