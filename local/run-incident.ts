import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Mode } from '../lambdas/domain/settings.ts';
import type { Decider } from './approvals.ts';
import { synthesize } from './engine/assembly.ts';
import { startEngine } from './engine/engine.ts';
import type { StackTemplate } from './engine/template.ts';
import { homeFolder } from './home.ts';
import { type LocalNode, leakSlice, NodeUnavailableError, openNode, requireHost } from './local-node.ts';
import { type LocalSettingsProps, localSettings } from './local-settings.ts';
import { narrate } from './narrator.ts';
import { checkHost, cleanUpOldLeaks, KernelFreesThemError } from './node/host-leak.ts';
import { countDying } from './node/memory-hierarchy-v1.ts';
import { PhaseClock } from './phases.ts';
import { Progress } from './progress.ts';
import { RunDirectory } from './run-directory.ts';
import { removeAbandonedFolders, temporaryFolder } from './temporary-folder.ts';
import { type WatchedIncident, watchIncident } from './watch-incident.ts';

/** What is done for a node that is not recorded. */
const preparing: Readonly<Record<string, string>> = {
  host: 'a real leak is made on this host',
  vm: 'a virtual node is booted and a real leak made in it',
};
/** On kernel 6.1 some 260 dying cgroups stay whatever is done, drop_caches included: metadata of the file system. */
const unfreeable = 300;

export interface RunIncidentProps {
  /** Nodes to try, in this order: `host`, `vm`, or names of recorded ones. The first that can be had is used. */
  readonly nodes: readonly string[];
  /** A host that cannot have the leak at all is an error, and no reason to take the next node. */
  readonly hostAsked?: boolean;
  readonly mode: Mode;
  readonly decider: Decider;
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
    const before = await node.countDying?.();
    const engine = await startEngine({
      stack: prepared.stack,
      logFile: directory.functionsLog,
      compileCache: join(home, 'compile-cache'),
    });
    try {
      sayWhatRuns(progress, prepared.stack, node, mode);
      const watched = await watchIncident(engine, {
        id,
        node,
        directory,
        decider: props.decider,
        clock,
        ...(signal === undefined ? {} : { signal }),
        onEvent: (event) => narrate(event, progress),
      });
      for (const { target, error } of watched.execution.deliveries) {
        if (error !== undefined) progress.say(`${target} failed: ${error.message}`, 'janitor');
      }
      if (before !== undefined && node.countDying !== undefined) {
        progress.say(
          `counted by this process, not by the medic: ${before} dying cgroups before, ${await node.countDying()} after`,
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
type Prepared = { stack: StackTemplate; node: LocalNode };

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
  { mode, cluster, signal }: RunIncidentProps,
  { id, home, assembly, progress }: Preparation,
): Promise<Prepared> {
  if (name === 'host') requireHost();
  const settings = localSettings({
    mode,
    ...(name === 'host' ? { slices: [leakSlice(id)], dyingBefore: countDying() } : {}),
    ...(name === 'vm' ? { emulated: true, dyingBefore: unfreeable } : {}),
    ...(cluster === undefined ? {} : { cluster }),
  });
  progress.say(
    `${preparing[name] ?? `the recorded node ${name} is laid out`}, and the CDK app is synthesized`,
  );
  progress.waitFor('the node and the CDK app');
  // A node that was opened has to be closed, whatever becomes of the app.
  const [opened, stack] = await Promise.allSettled([
    openNode({
      name,
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
  return { stack: stack.value, node: opened.value };
}

function sayWhatRuns(progress: Progress, stack: StackTemplate, node: LocalNode, mode: Mode): void {
  const window = 'Verification looks for seconds here; deployed, it takes ten minutes.';
  progress.say(
    [
      node.recorded
        ? `RECORDED node ${node.title}: ${node.about}. Files and a small model of a kernel; nothing on this host is touched.`
        : `${node.title}: ${node.about}`,
      `${stack.functions.length} functions, ${stack.documents.length} SSM documents and the state machine are the deployed ones; mode ${mode}. ${window}`,
    ].join('\n'),
  );
}
