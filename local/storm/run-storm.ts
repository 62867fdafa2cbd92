import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { clusterTag } from '../../lambdas/adapters/instance-cluster.ts';
import { BudgetState, nobodyDisrupted } from '../../lambdas/domain/gates/budget.ts';
import { Message } from '../../lambdas/domain/message.ts';
import { Settings } from '../../lambdas/domain/settings.ts';
import { ApprovalRequest, decide } from '../approvals.ts';
import { synthesize } from '../engine/assembly.ts';
import { type Engine, startEngine } from '../engine/engine.ts';
import { isJsonObject } from '../engine/json.ts';
import type { Served } from '../engine/lambda-runtime.ts';
import { drainQueue } from '../engine/queues.ts';
import type { ExecutionEvent } from '../engine/run-state-machine.ts';
import { homeFolder } from '../home.ts';
import { localCluster, localSettings } from '../local-settings.ts';
import { recordedAround } from '../node/recorded-node.ts';
import { RunDirectory } from '../run-directory.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { type Facts, type ToldMessage, trailsOf } from './facts.ts';
import { type FleetNode, fleetOf } from './fleet.ts';
import type { StormOptions } from './options.ts';
import type { Visit } from './projection.ts';
import { Tape } from './tape.ts';

/** Functions that run at a time: twice what two cores can do, for most of them wait for an answer. */
const mostAtOnce = 4;
const progressMs = 10_000;

/** A cluster of its own for the one incident before the storm. */
const rehearsalCluster = 'rehearsal';

/** The card of an approval, and how it was answered. */
export type Card = { approvalId: string; incident: string; title: string; answer: string };

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

/**
 * The settings of a storm: those of a run on this machine, and a wait for a place in the budget that is as short as all else. Only an
 * examination may take longer: here two cores do what a thousand functions do in an account.
 */
export function stormSettings({ mode, sample }: Pick<StormOptions, 'mode' | 'sample'>): Settings {
  const settings = localSettings({
    mode,
    recorded: true,
    apiServer: recordedAround(sample)?.cluster !== undefined,
    cluster: {
      gates: {
        budget: { askAgainSeconds: 2, waitMinutes: 5 },
        // So long the first of them waits for others: two cores do not diagnose the second in less.
        cohort: { gatherSeconds: 15, askAgainSeconds: 2 },
      },
    },
  });
  const { clusters, command } = settings;
  return Settings.parse({
    ...settings,
    clusters: { ...clusters, [rehearsalCluster]: clusters[localCluster] },
    command: { ...command, evidenceSeconds: 600 },
  });
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
    await alarm(engine, nodes);
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

type Attached = { node: FleetNode; veto: string; sample: string; cluster?: string };

function attach(engine: Engine, tape: Tape, { node, veto, sample, cluster = localCluster }: Attached): void {
  const around = recordedAround(sample);
  if (around?.cluster !== undefined) around.cluster.node.metadata.name = node.nodeName;
  engine.cloud.ssm.attach({
    instanceId: node.instanceId,
    run: tape.agentOf(node),
    online: node.fate !== 'silent',
    zone: node.zone,
    imageId: node.imageId,
    privateDnsName: node.nodeName,
    tags: {
      [clusterTag]: cluster,
      'eks:nodegroup-name': node.nodeGroup,
      ...(node.fate === 'vetoed' ? { [veto]: 'a storm must not touch it' } : {}),
    },
    ...(around === undefined ? {} : { around }),
  });
}

/**
 * One incident by itself, before the storm: what a treatment did is recorded at the pace of a single incident. In the storm the looks
 * at a node are minutes apart, and a node that grows by the second would not be the same.
 */
async function rehearse(
  engine: Engine,
  tape: Tape,
  options: StormOptions,
  write: (text: string) => void,
): Promise<void> {
  const [node] = fleetOf({ nodes: 1, seed: options.seed + 1, shares: noShares });
  if (node === undefined) return;
  attach(engine, tape, { node, veto: '', sample: options.sample, cluster: rehearsalCluster });
  const stop = engine.onPublished(({ message }) => {
    void answer(engine, message, options.approve, []);
  });
  write('one incident is rehearsed, to record what the nodes will answer\n');
  await alarm(engine, [node], rehearsalCluster);
  await Promise.all(engine.executions.all().map(({ ended }) => ended));
  stop();
  engine.cloud.ssm.detach(node.instanceId);
}

const noShares = { silent: 0, stubborn: 0, recovering: 0, vetoed: 0 };

/** The census finds them all in one run, and each finding is an alarm in the queue. */
async function alarm(engine: Engine, nodes: readonly FleetNode[], cluster = localCluster): Promise<void> {
  const queueUrl =
    engine.stack.queues.find(({ logicalId }) => logicalId.startsWith('IntakeAlarms'))?.url ?? '';
  const at = new Date().toISOString();
  for (const { instanceId } of nodes) {
    const payload = { cluster, instanceId, at, reason: 'a storm' };
    engine.cloud.queues.put({ queueUrl, body: JSON.stringify({ source: 'census', received: at, payload }) });
  }
  // A message that fails is delivered again, and in the end is among the dead letters.
  for (let tries = 0; tries < 10; tries += 1) {
    const { left } = await drainQueue(engine, queueUrl);
    if (left === 0) return;
    await sleep(1000);
  }
}

async function answer(engine: Engine, message: string, approve: 'yes' | 'no', cards: Card[]): Promise<void> {
  const { data: request } = ApprovalRequest.safeParse(JSON.parse(message));
  if (request === undefined || cards.some(({ approvalId }) => approvalId === request.approvalId)) return;
  const { approvalId, incident, title } = request;
  const card: Card = { approvalId, incident, title, answer: 'none' };
  cards.push(card);
  const decision = approve === 'yes' ? 'approve' : 'deny';
  const given = await decide(
    engine,
    request,
    { decision, reason: `the storm was started with --approve ${approve}` },
    userInfo().username,
  ).catch((error: unknown) => ({ status: 'failed', reason: String(error) }));
  card.answer = given.status === 'refused' || given.status === 'failed' ? given.status : decision;
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

function visit(visits: Map<string, Visit[]>, execution: string, { type, state, at }: ExecutionEvent): void {
  if (state === undefined) return;
  const own = visits.get(execution) ?? [];
  visits.set(execution, own);
  if (type === 'StateEntered') {
    own.push({ state: state.name, type: state.type, enteredAt: at.getTime(), exitedAt: at.getTime() });
  }
  const last = own.at(-1);
  if ((type === 'StateExited' || type === 'StateCaught') && last?.state === state.name)
    last.exitedAt = at.getTime();
}

/** The documents of the stack by the names that its functions know them by. */
function shortNames({ functions, documents }: Engine['stack']): { name: string; content: unknown }[] {
  const references: unknown = JSON.parse(functions[0]?.environment.DOCUMENTS ?? '{}');
  return Object.entries(z.record(z.string(), z.object({ name: z.string() })).parse(references)).flatMap(
    ([name, reference]) => {
      const document = documents.find((one) => one.name === reference.name);
      return document === undefined ? [] : [{ name, content: document.content }];
    },
  );
}

/** The name of the function that each state invokes. */
function functionsOf(engine: Engine): Map<string, string> {
  const states = engine.stateMachine.definition.States;
  const entries = Object.entries(isJsonObject(states) ? states : {}).flatMap(([name, state]) => {
    if (!isJsonObject(state) || state.Type !== 'Task') return [];
    const parameters = isJsonObject(state.Parameters) ? state.Parameters : {};
    const arn = String(parameters.FunctionName ?? state.Resource);
    const called = engine.stack.functions.find((one) => one.arn === arn || one.name === arn);
    return called === undefined ? [] : [[name, called.name] as const];
  });
  return new Map(entries);
}

async function leftOf(engine: Engine, nodes: readonly FleetNode[]): Promise<Facts['left']> {
  const TableName = engine.stack.functions[0]?.environment.STATE_TABLE ?? '';
  const item = async (pk: string, sk: string): Promise<Record<string, unknown> | undefined> => {
    const Key = marshall({ pk, sk });
    const { Item } = await engine.cloud.dynamo.send(
      new GetItemCommand({ TableName, Key, ConsistentRead: true }),
    );
    return Item === undefined ? undefined : unmarshall(Item);
  };
  const leases: Facts['left']['leases'] = [];
  for (const { instanceId } of nodes) {
    const holder = (await item(`LEASE#${instanceId}`, 'LEASE'))?.holder;
    if (typeof holder === 'string') leases.push({ instanceId, holder });
  }
  const budget = (await item(`BUDGET#${localCluster}`, 'BUDGET'))?.state;
  return {
    leases,
    budget: budget === undefined ? nobodyDisrupted : BudgetState.parse(JSON.parse(String(budget))),
    cordoned: await cordonedOf(engine),
  };
}

const Cordoned = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({ unschedulable: z.boolean().optional() }).nullish(),
});

/** Nodes that the API server of the cluster has for cordoned; there is none where nothing was recorded of one. */
async function cordonedOf(engine: Engine): Promise<string[]> {
  const server = await engine.cloud.clusters.named(localCluster);
  if (server === undefined) return [];
  return engine.cloud.ssm.nodes.flatMap(({ around }) => {
    const recorded = around?.cluster?.node;
    if (recorded === undefined) return [];
    const { metadata, spec } = Cordoned.parse(server.changes.node(recorded));
    return spec?.unschedulable ? [metadata.name] : [];
  });
}
