import { nextPollSeconds } from '../../lambdas/domain/polling.ts';
import type { Cluster, Settings } from '../../lambdas/domain/settings.ts';
import type { JsonObject } from '../../local/engine/json.ts';
import type { Measured } from './measured.ts';
import { assumptions, type PartName, type ServiceParts } from './parts.ts';
import { type Random, sample } from './spread.ts';
import { walk } from './walk.ts';

export type Model = {
  /** The state machine, as it is deployed. */
  definition: JsonObject;
  /** Of each function. */
  memoryMb: number;
  command: Settings['command'];
  examination: Cluster['examination'];
  measured: Measured;
  parts: ServiceParts;
};

/** Seconds from the alarm, and what they went to until the diagnosis. */
export type Incident = {
  diagnosed: number;
  /** The first treatment begins on the node. Absent where the node did not answer: nothing is done to it then. */
  treated?: number;
  spent: Partial<Record<PartName, number>>;
};

/** Phases that were measured by name; what other functions do (the lease, the audit, a call of SSM) is of the kind of "open". */
const measuredPhases = ['open', 'diagnose', 'plan', 'gate'];

/** One incident, by chance: an alarm of CloudWatch on a node whose policy lets the first rung go ahead without asking. */
export function incident(model: Model, random: Random): Incident {
  const { command, measured, parts } = model;
  const spent: Incident['spent'] = {};
  const known = new Set<string>();
  let now = 0;
  let diagnosed: number | undefined;
  let commandOver = 0;
  let deadline = 0;

  const take = (part: PartName, seconds: number): void => {
    now += seconds;
    if (diagnosed === undefined) spent[part] = (spent[part] ?? 0) + seconds;
  };
  const service = (part: keyof ServiceParts): number => sample(parts[part], random);
  const ownWork = (cpuSeconds: number): number => {
    const seconds = cpuSeconds * Math.max(1, assumptions.mbOfOneCpu / model.memoryMb);
    return sample({ p50: seconds, p99: seconds * assumptions.functionTail }, random);
  };
  /** An incident is rare: every function begins cold, and stays warm for it. */
  const call = (name: string): void => {
    if (!known.has(name)) {
      take('coldStart', service('coldStart'));
      take('init', ownWork(measured.init(name)));
    }
    known.add(name);
    take('run', ownWork(measured.phase(measuredPhases.includes(name) ? name : 'open')));
    take('calls', service('calls'));
  };

  const answers = random() >= assumptions.unansweredShare;
  /** One script that is sent now. What happens on the node does so while the execution waits. */
  const sent = (windowSeconds: number, scriptSeconds: number) => {
    const delivery = service('delivery');
    const document =
      windowSeconds + sample({ p50: scriptSeconds, p99: scriptSeconds * assumptions.documentTail }, random);
    const report = service('report');
    return { over: now + delivery + document + report, on: { delivery, document, report } };
  };

  const functions: Record<string, (state: JsonObject, began: number) => JsonObject> = {
    open: () => ({ lease: { status: 'ours' } }),
    'send-evidence': () => {
      const { windowSeconds } = model.examination;
      const both = [sent(windowSeconds, measured.evidence), sent(0, measured.services)] as const;
      const later = both[0].over >= both[1].over ? both[0] : both[1];
      commandOver = answers ? later.over : Number.POSITIVE_INFINITY;
      deadline = now + command.evidenceSeconds;
      if (answers) Object.assign(spent, later.on);
      return { command: { status: 'running', waitSeconds: command.pollSeconds } };
    },
    'poll-command': ({ command: last }, began) => {
      if (began >= commandOver) return { command: { status: 'succeeded', waitSeconds: 0 } };
      if (began >= deadline) return { command: { status: 'no-answer', waitSeconds: 0 } };
      const { waitSeconds } = last as { waitSeconds: number };
      return { command: { status: 'running', waitSeconds: nextPollSeconds(command, waitSeconds) } };
    },
    'examine-around': () => {
      take('around', Math.min(service('around'), assumptions.aroundMost));
      return {};
    },
    diagnose: () => ({}),
    plan: () => ({ ladder: { status: answers ? 'rung' : 'empty' }, rung: { kind: 'document' } }),
    gate: () => ({ gate: { decision: 'pass' } }),
    'send-treatment': () => ({}),
    close: () => ({}),
  };

  take('alarmEvent', service('alarmEvent'));
  take('eventBus', service('eventBus'));
  take('queue', service('queue'));
  call('intake');
  take('execution', service('execution'));
  const ended = walk(model.definition, (name) => name === 'send-treatment', {
    entered: () => take('transition', service('transition')),
    call(name, state) {
      const act = functions[name];
      if (act === undefined)
        throw new Error(`the way to the first treatment leads to "${name}", which the model does not know`);
      const began = now;
      call(name);
      const result = act(state, began);
      if (name === 'diagnose') diagnosed ??= now;
      return result;
    },
    waited: (seconds) => take('waiting', seconds),
  });
  if (diagnosed === undefined) throw new Error('the state machine ends without a diagnosis');
  if (ended === undefined && answers) throw new Error('the state machine ends without a treatment');
  return { diagnosed, spent, ...(ended === undefined ? {} : { treated: now + service('delivery') }) };
}
