import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { CauseId } from '../lambdas/domain/causes/cause.ts';
import type { Cluster, Mode, Settings } from '../lambdas/domain/settings.ts';
import type { Asker } from './approvals.ts';
import { synthesize } from './engine/assembly.ts';
import { startEngine } from './engine/engine.ts';
import type { StackTemplate } from './engine/template.ts';
import { defaultFault } from './faults.ts';
import { homeFolder } from './home.ts';
import { type LocalNode, leakSlice, NodeUnavailableError, openNode, requireHost } from './local-node.ts';
import { type LocalSettingsProps, localCluster, localSettings, shipped } from './local-settings.ts';
import { narrate } from './narrator.ts';
import { checkHost, cleanUpOldLeaks, KernelFreesThemError } from './node/host-leak.ts';
import { countDying } from './node/memory-hierarchy-v1.ts';
import { recordedAround } from './node/recorded-node.ts';
import { PhaseClock } from './phases.ts';
import { Progress } from './progress.ts';
import { RunDirectory } from './run-directory.ts';
import { removeAbandonedFolders, temporaryFolder } from './temporary-folder.ts';
import { virtualFaults } from './vm/faults/index.ts';
import { type WatchedIncident, watchIncident } from './watch-incident.ts';

export interface RunIncidentProps {
  /** Nodes to try, in this order: `host`, `vm`, or names of recorded ones. The first that can be had is used. */
  readonly nodes: readonly string[];
  /** What is to be wrong with a virtual node. @default dying-memcgs */
  readonly fault?: CauseId;
  /** A host that cannot have the leak at all is an error, and no reason to take the next node. */
  readonly hostAsked?: boolean;
  readonly mode: Mode;
  readonly ask: Asker;
  /** Where runs are kept. @default `CGROUP_MEDIC_HOME`, or `.cgroup-medic` in the current directory */
  readonly home?: string;
  /** Cluster settings over those of a local run, for tests. */
  readonly cluster?: LocalSettingsProps['cluster'];
  /** Stops the incident, as an operator would. */
  readonly signal?: AbortSignal;
  /** Gets the progress, for people. */
  write(text: string): void;
}

export type RunResult = WatchedIncident & {
  node: LocalNode;
  /** AWS calls that nothing here answers. */
  unanswered: string[];
};

/** One incident from nothing to closed: node, app, engine, execution, and everything removed again. */
export async function runIncident(props: RunIncidentProps): Promise<RunResult> {
  const { signal, mode, write, home = homeFolder() } = props;
  const clock = new PhaseClock();
  const progress = new Progress(clock, write);
  const id = `run-${new Date().toISOString().replace(/[-:]|\..*/g, '')}-${randomBytes(2).toString('hex')}`;
  const directory = new RunDirectory(home, id);
  const assembly = temporaryFolder('assembly');
  let node: LocalNode | undefined;
  clock.enter('prepare');
  try {
    await cleanUp(progress);
    const prepared = await prepare(props, { id, home, assembly, progress });
    node = prepared.node;
    const before = await node.symptom?.count();
    if (before !== undefined) requireFault(node, before);
    const engine = await startEngine({
      stack: prepared.stack,
      logFile: directory.functionsLog,
      compileCache: join(home, 'compile-cache'),
    });
    try {
      sayWhatRuns(progress, prepared, mode);
      const watched = await watchIncident(engine, {
        id,
        node,
        directory,
        ask: props.ask,
        clock,
        ...(signal === undefined ? {} : { signal }),
        onEvent: (event) => narrate(event, progress, mode),
      });
      for (const text of doneByJanitor(watched.auditLines)) progress.say(text, 'janitor');
      for (const { target, error } of watched.execution.deliveries) {
        if (error !== undefined) progress.say(`${target} failed: ${error.message}`, 'janitor');
      }
      if (before !== undefined && node.symptom !== undefined) {
        const { what, count } = node.symptom;
        progress.say(
          `counted by this process, not by the medic: ${before} ${what} once the fault was made, before the incident began; ${await count()} now that it has ended`,
          'close',
        );
      }
      return { ...watched, node, unanswered: engine.cloud.unanswered };
    } finally {
      await engine.close();
    }
  } finally {
    progress.waitFor('');
    await node?.close();
    rmSync(assembly, { recursive: true, force: true });
    progress.end();
  }
}

/** Removes what crashed runs left on this host. */
async function cleanUp(progress: Progress): Promise<void> {
  removeAbandonedFolders();
  if (!checkHost().possible) return;
  for (const name of await cleanUpOldLeaks())
    progress.say(`removed ${name}, which a crashed run left behind`);
}

type Preparation = { id: string; home: string; assembly: string; progress: Progress };
type Prepared = { stack: StackTemplate; node: LocalNode; cluster: Cluster };

/** Prepares the first node that can be had, and synthesizes the app meanwhile. */
async function prepare(props: RunIncidentProps, preparation: Preparation): Promise<Prepared> {
  for (const [index, name] of props.nodes.entries()) {
    try {
      return await prepareOne(name, props, preparation);
    } catch (error) {
      const another = index < props.nodes.length - 1;
      const forgivable =
        error instanceof KernelFreesThemError ||
        (error instanceof NodeUnavailableError && props.hostAsked !== true);
      if (!another || !forgivable) throw error;
      preparation.progress.say(`${error.message}\nA recorded node stands in.`);
    }
  }
  throw new NodeUnavailableError('no node was named');
}

async function prepareOne(
  name: string,
  { mode, cluster, signal, fault = defaultFault }: RunIncidentProps,
  { id, home, assembly, progress }: Preparation,
): Promise<Prepared> {
  if (name === 'host') requireHost();
  const around = name === 'host' || name === 'vm' ? undefined : recordedAround(name);
  const settings = localSettings({
    mode,
    ...(name === 'host' ? { slices: [leakSlice(id)], dyingBefore: countDying() } : {}),
    ...(name === 'vm' ? { emulated: true } : {}),
    recorded: name !== 'host' && name !== 'vm',
    apiServer: around?.cluster !== undefined,
    replacing: around?.group !== undefined,
    cluster: { ...(name === 'vm' ? virtualFaults[fault]?.cluster : {}), ...cluster },
  });
  progress.say(`${preparing(name, fault)}, and the CDK app is synthesized`);
  progress.waitFor('the node and the CDK app');
  // A node that was opened has to be closed, whatever becomes of the app.
  const [opened, stack] = await Promise.allSettled([
    openNode({
      name,
      fault,
      id,
      directory: join(home, 'leaks'),
      ...(signal === undefined ? {} : { signal }),
      ...(name === 'vm' ? { onProgress: (text: string) => progress.say(text) } : {}),
    }),
    synthesize(settings, join(assembly, name), signal),
  ]);
  progress.waitFor('');
  if (opened.status === 'rejected') throw opened.reason;
  if (stack.status === 'rejected') {
    await opened.value.close();
    throw stack.reason;
  }
  return { stack: stack.value, node: opened.value, cluster: onlyCluster(settings) };
}

/** @throws NodeUnavailableError where something else has repaired the node before the incident could begin */
export function requireFault({ symptom }: LocalNode, seen: number): void {
  if (symptom?.least === undefined || seen >= symptom.least) return;
  throw new NodeUnavailableError(
    `the fault that was made has gone by itself: ${seen} ${symptom.what} are left of it, and ${symptom.least} are the least that is one. Something else on this machine frees them (a drop of the caches, another reclaim, short memory). Start again when it is quiet, or take a recorded node: npm start -- --node v2-zombies`,
  );
}

function onlyCluster({ clusters }: Settings): Cluster {
  const cluster = clusters[localCluster];
  if (cluster === undefined) throw new Error('the settings of this machine have no cluster');
  return cluster;
}

function preparing(name: string, fault: CauseId): string {
  if (name === 'host') return 'a real leak is made on this host';
  if (name === 'vm') return `a virtual node is booted, the fault ${fault} made in it`;
  return `the recorded node ${name} is laid out`;
}

/** Every setting by which a run here is judged or bounded otherwise than a deployment with the shipped settings. */
function otherThanDeployed(cluster: Cluster): string[] {
  const deployed = shipped();
  const { cpuPercent, maxSeconds } = cluster.reclaim;
  const { dyingFloor } = cluster.thresholds;
  const floor = deployed.thresholds.dyingFloor;
  return [
    `verification takes ${cluster.verification.windowSeconds} s (deployed: ${deployed.verification.windowSeconds} s), so a cure is a provisional one`,
    `reclaim may use ${cpuPercent} % of one CPU for ${maxSeconds} s (deployed: ${deployed.reclaim.cpuPercent} % for ${deployed.reclaim.maxSeconds} s)`,
    ...(dyingFloor < floor
      ? [
          `more than ${dyingFloor} dying cgroups are a fault (deployed: ${floor}): there is no time for a big one`,
        ]
      : []),
    ...(dyingFloor > floor
      ? [
          `up to ${dyingFloor} dying cgroups count as well (deployed: ${floor}): ${dyingFloor - floor} were here before the fault was made, and are not this run's to free`,
        ]
      : []),
    ...(cluster.replacement.enabled
      ? [
          'the node may be replaced (deployed: only where replacement.enabled says so); what stands in for its API server and its Auto Scaling group has another one ready after a second',
        ]
      : []),
    ...(cluster.policy.treatments['drop-caches'] === 'never'
      ? ['drop-caches is never done: it would hit all of this machine']
      : []),
    'whoever starts it may approve it (deployed: nobody approves what they started)',
  ];
}

/** What the trail says of a clean-up after an execution that did not come to its end. */
function doneByJanitor(lines: readonly string[]): string[] {
  const entry = z.object({
    actor: z.object({ kind: z.literal('janitor') }),
    step: z.string(),
    what: z.string(),
  });
  return lines.flatMap((line) => {
    const { success, data } = entry.safeParse(JSON.parse(line));
    return success && data.step !== 'incident.closed' ? [`${data.step}: ${data.what}`] : [];
  });
}

function sayWhatRuns(progress: Progress, { stack, node, cluster }: Prepared, mode: Mode): void {
  const others = otherThanDeployed(cluster);
  progress.say(
    [
      node.recorded
        ? `RECORDED node ${node.title}: ${node.about}. Files that were composed by hand and a small model of a kernel; nothing on this host is touched.`
        : `${node.title}: ${node.about}`,
      `${stack.functions.length} functions, ${stack.documents.length} SSM documents and the state machine are the deployed ones; mode ${mode}. What is other than deployed:`,
      ...others.map((other) => `  ${other}`),
    ].join('\n'),
  );
}
