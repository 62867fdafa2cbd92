import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Message } from '../../lambdas/domain/message.ts';
import type { Settings } from '../../lambdas/domain/settings.ts';
import { synthesize } from '../engine/assembly.ts';
import { type Engine, startEngine } from '../engine/engine.ts';
import type { Served } from '../engine/lambda-runtime.ts';
import { homeFolder } from '../home.ts';
import { localCluster } from '../local-settings.ts';
import { RunDirectory } from '../run-directory.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { alarm, attach } from './alarm.ts';
import { answer, type Card } from './cards.ts';
import { type Facts, type ToldMessage, trailsOf } from './facts.ts';
import { fleetOf } from './fleet.ts';
import { leftOf } from './left.ts';
import { functionsOf, shortNames } from './names.ts';
import type { StormOptions } from './options.ts';
import type { Visit } from './projection.ts';
import { rehearse } from './rehearse.ts';
import { stormSettings } from './settings.ts';
import { Tape } from './tape.ts';
import { visit } from './visits.ts';

/** Functions that run at a time: twice what two cores can do, for most of them wait for an answer. */
const mostAtOnce = 4;
const progressMs = 10_000;

/** All that a storm left behind to be looked at. */
export type Storm = Facts & {
  settings: Settings;
  seconds: number;
  cards: Card[];
  tape: { outputs: number; samples: number };
  visits: Map<string, Visit[]>;
  functions: Map<string, string>;
  served: Served[];
  calls: Engine['cloud']['calls'];
  unanswered: string[];
  directory: RunDirectory;
};

export interface RunStormProps {
  readonly options: StormOptions;
  /** Where runs are kept. @default as of `npm start` */
  readonly home?: string;
  /** Stops everything that runs. */
  readonly signal?: AbortSignal;
  /** Gets the progress, for people. */
  write(text: string): void;
}

/** Many nodes alarm at once; everything runs to its end, and is removed again. */
export async function runStorm({
  options,
  write,
  signal,
  home = homeFolder(),
}: RunStormProps): Promise<Storm> {
  const settings = stormSettings(options);
  const stamp = new Date().toISOString().replace(/[-:]|\..*/g, '');
  const directory = new RunDirectory(home, `storm-${stamp}-${randomBytes(2).toString('hex')}`);
  const assembly = temporaryFolder('assembly');
  write('the CDK app is synthesized\n');
  try {
    const stack = await synthesize(settings, assembly, signal);
    const visits = new Map<string, Visit[]>();
    const ended = new Set<string>();
    const served: Served[] = [];
    const engine = await startEngine({
      stack,
      logFile: directory.functionsLog,
      compileCache: join(home, 'compile-cache'),
      mostAtOnce,
      onServed: (one) => served.push(one),
      onEvent: (execution, event) => {
        visit(visits, execution, event);
        if (event.state === undefined && event.type !== 'ExecutionStarted') ended.add(execution);
      },
    });
    const tape = new Tape(options.sample, shortNames(stack));
    try {
      await rehearse(engine, tape, options, write);
      for (const list of [served, engine.cloud.calls]) list.length = 0;
      for (const known of [visits, ended]) known.clear();
      const facts = await storm(engine, tape, {
        options,
        settings,
        directory,
        ended,
        write,
        ...(signal && { signal }),
      });
      return {
        ...facts,
        settings,
        visits,
        served,
        functions: functionsOf(engine),
        directory,
        tape: tape.figures,
      };
    } finally {
      await engine.close();
      await tape.close();
    }
  } finally {
    rmSync(assembly, { recursive: true, force: true });
  }
}

type Running = {
  options: StormOptions;
  settings: Settings;
  directory: RunDirectory;
  /** Executions that are over, as they end. */
  ended: ReadonlySet<string>;
  signal?: AbortSignal;
  write(text: string): void;
};

async function storm(
  engine: Engine,
  tape: Tape,
  { options, settings, directory, ended, signal, write }: Running,
): Promise<Omit<Storm, 'settings' | 'visits' | 'served' | 'functions' | 'directory' | 'tape'>> {
  const nodes = fleetOf(options);
  const veto = settings.clusters[localCluster]?.gates.veto.key ?? '';
  for (const node of nodes) attach(engine, tape, { node, veto, sample: options.sample });
  const lines: { stream: string; message: string }[] = [];
  const messages: ToldMessage[] = [];
  const cards: Card[] = [];
  const answers: Promise<void>[] = [];
  engine.onLogLine(({ group, stream, message }) => {
    if (group === engine.stack.outputs.AuditLogGroupName) lines.push({ stream, message });
  });
  engine.onPublished(({ message, at }) => {
    const { data } = Message.safeParse(JSON.parse(message));
    if (data === undefined) return;
    const { kind, incident, instanceId, title, text } = data;
    directory.appendMessage(message);
    messages.push({ at, kind, incident, title, text, ...(instanceId === undefined ? {} : { instanceId }) });
    answers.push(answer(engine, message, options.approve, cards));
  });

  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  const stop = (): void => {
    void engine.executions.close();
  };
  signal?.addEventListener('abort', stop, { once: true });
  const report = setInterval(
    () => write(progressLine(seconds(), engine, ended, messages, cards)),
    progressMs,
  );
  try {
    write(`${nodes.length} nodes alarm\n`);
    await alarm(engine, nodes, { ...(signal && { signal }) });
    // Those of the batch that was under way.
    if (signal?.aborted) stop();
    await Promise.all(engine.executions.all().map(({ ended: end }) => end));
    await Promise.all(answers);
  } finally {
    clearInterval(report);
    signal?.removeEventListener('abort', stop);
  }
  write(progressLine(seconds(), engine, ended, messages, cards));
  const trails = trailsOf(lines).filter(({ entries }) => entries[0]?.cluster === localCluster);
  directory.writeAudit(trails.flatMap((trail) => trail.lines));
  const publicKey = engine.cloud.keys[0]?.publicKeyPem ?? '';
  directory.writePublicKey(publicKey);
  return {
    cluster: localCluster,
    nodes,
    trails,
    ended,
    messages,
    cards,
    publicKey,
    left: await leftOf(engine, nodes),
    seconds: seconds(),
    calls: engine.cloud.calls,
    unanswered: engine.cloud.unanswered,
  };
}

function progressLine(
  seconds: number,
  engine: Engine,
  ended: ReadonlySet<string>,
  messages: readonly ToldMessage[],
  cards: readonly Card[],
): string {
  // One was rehearsed.
  const open = engine.executions.all().length - 1 - ended.size;
  return `${seconds.toFixed(0).padStart(5)} s  ${open} incidents open, ${ended.size} ended; ${cards.length} cards, ${messages.length} messages, ${engine.cloud.calls.length} calls\n`;
}
