import { createHash } from 'node:crypto';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteItemCommand, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { canonicalJson } from '../../lambdas/domain/canonical-json.ts';
import { Settings } from '../../lambdas/domain/settings.ts';
import { type Asker, answeredBy, answering, type Decider } from '../../local/approvals.ts';
import { synthesize } from '../../local/engine/assembly.ts';
import { type Engine, startEngine } from '../../local/engine/engine.ts';
import { readStack, type StackTemplate } from '../../local/engine/template.ts';
import { type LocalNode, openNode } from '../../local/local-node.ts';
import {
  localApi,
  localCluster,
  localCohort,
  localReplacement,
  localSettings,
} from '../../local/local-settings.ts';
import { RunDirectory } from '../../local/run-directory.ts';
import { type WatchedIncident, type WatchIncidentProps, watchIncident } from '../../local/watch-incident.ts';

const root = resolve(import.meta.dirname, '../..');
const cache = join(root, '.cgroup-medic/test-assemblies');
const sources = ['cdk/**/*.ts', 'lambdas/**/*.ts', 'ssm-documents/**/*', 'package-lock.json', 'cdk.json'];

/** Clusters of the test account, one per mode. */
export const clusters = {
  auto: localCluster,
  approve: 'asking',
  observe: 'observing',
  switched: 'switched',
  cautious: 'cautious',
  patient: 'patient',
  asked: 'asked',
  askedToo: 'asked-too',
  unknown: 'unknown',
  breaking: 'breaking',
  together: 'together',
  paused: 'paused',
  returning: 'returning',
  crowded: 'crowded',
  hasty: 'hasty',
  crowdedAsking: 'crowded-asking',
  replacing: 'replacing',
};

/** Incidents of several tests at once have the same cause, and are none of each other's business. */
export const apart = { enabled: false };
/** Many nodes at once are no crowd. */
const plenty = { nodeGroupPercent: 100, clusterPercent: 100, perZone: 1000 };

/** Each incident of a test file tells people of itself, however many have the same cause. */
function singly<T extends object>(all: Record<string, T | undefined>): Record<string, object> {
  return Object.fromEntries(
    Object.entries(all).map(([name, one]) => [name, { ...one, roll: { singly: 100 } }]),
  );
}

/** Settings of a local run, with the shortest waits, and an approval that expires while a test waits. */
export function testSettings(): Settings {
  const cluster = (mode: 'auto' | 'approve' | 'observe', dropCaches?: 'never', dyingBefore = 0) => {
    const settings = localSettings({
      mode,
      dyingBefore,
      recorded: true,
      cluster: {
        policy: { treatments: dropCaches === undefined ? {} : { 'drop-caches': dropCaches } },
        verification: { windowSeconds: 2, samples: 5 },
        approval: { onePersonTeam: true, expirySeconds: { low: 6, medium: 6, high: 6 } },
        // One node is treated again and again here, and all have one image.
        gates: {
          breaker: { failures: 20 },
          recurrence: { perNode: 1000, perImage: 10_000 },
          budget: plenty,
          cohort: apart,
        },
      },
    });
    return settings.clusters[localCluster];
  };
  const withBudget = (budget: object, need: 'auto' | 'approve' = 'auto', cohort: object = apart) => ({
    ...cluster('auto', 'never'),
    // A treatment that people are asked about in a deployment.
    policy: { treatments: { 'restart-kubelet': need } },
    approval: { onePersonTeam: true, expirySeconds: { low: 60, medium: 60, high: 60 } },
    gates: {
      breaker: { failures: 20 },
      recurrence: { perNode: 1000, perImage: 10_000 },
      budget,
      cohort,
    },
  });
  const all = localSettings({ mode: 'auto' });
  return Settings.parse({
    ...all,
    clusters: singly({
      [clusters.auto]: cluster('auto'),
      // Where the last resort is forbidden, a ladder that does not help ends with a call for a person.
      [clusters.cautious]: cluster('auto', 'never'),
      // Does not mind what a producer makes while it is looked for, however slow this machine is.
      [clusters.patient]: cluster('auto', 'never', 700),
      [clusters.approve]: cluster('approve'),
      [clusters.observe]: cluster('observe'),
      // Those whose API server is asked about their nodes: each has a stand-in of its own, but for one that EKS does not know.
      [clusters.asked]: { ...cluster('auto'), api: localApi },
      [clusters.askedToo]: { ...cluster('auto'), api: localApi },
      [clusters.breaking]: {
        ...cluster('auto', 'never'),
        gates: { breaker: { failures: 2 }, recurrence: { perNode: 1000 }, budget: plenty, cohort: apart },
      },
      // Treated once, a node is treated again only after a person was asked.
      [clusters.returning]: {
        ...cluster('auto'),
        gates: { recurrence: { perNode: 1 }, budget: plenty, cohort: apart },
      },
      // One node may be disrupted at a time, and whoever waits for that asks often; or nobody waits.
      [clusters.crowded]: withBudget({ waitMinutes: 2, askAgainSeconds: 1 }),
      [clusters.hasty]: withBudget({ waitMinutes: 0 }),
      [clusters.crowdedAsking]: withBudget({ waitMinutes: 2, askAgainSeconds: 1 }, 'approve', localCohort),
      // Its nodes may be replaced, and nobody waits for a budget of pods for long.
      [clusters.replacing]: {
        ...cluster('auto', 'never'),
        api: localApi,
        replacement: { ...localReplacement, drainMinutes: 1 },
        approval: { onePersonTeam: true, expirySeconds: { low: 60, medium: 60, high: 60 } },
      },
      // Two people of one group have to agree; others may as well once they are told. One incident at a time.
      [clusters.together]: {
        ...cluster('approve'),
        gates: { recurrence: { perNode: 1000, perImage: 10_000 }, budget: plenty, cohort: localCohort },
        approval: {
          quorum: { low: 2 },
          approvers: { low: ['@oncall'] },
          expirySeconds: { low: 12 },
          remindAtPercent: 25,
          escalation: { atPercent: 50, group: 'managers' },
        },
      },
      // Where labels are no veto, what an API server does not say keeps nothing away.
      [clusters.unknown]: {
        ...cluster('auto'),
        api: { access: 'public' },
        gates: { breaker: { failures: 20 }, veto: { nodeLabel: false }, cohort: apart },
      },
      // Tests pause it.
      [clusters.paused]: cluster('auto'),
      // In mode auto as well, but its parameter is for one test to change.
      [clusters.switched]: cluster('auto'),
    }),
    people: {
      ana: { groups: ['oncall'] },
      bob: { groups: ['oncall'] },
      max: { groups: ['managers'] },
    },
    command: { ...all.command, evidenceSeconds: 25 },
    janitor: { settleSeconds: 2, undoSeconds: 30 },
  });
}

/**
 * The synthesized stack with these settings. Synthesis takes seconds, so an assembly is kept for as long as nothing
 * that goes into it changes, and is shared by all test files.
 */
export async function testStack(settings: Settings): Promise<StackTemplate> {
  const hash = createHash('sha256').update(canonicalJson(settings));
  for (const file of globSync(sources, { cwd: root }).sort()) {
    const path = join(root, file);
    if (statSync(path).isFile()) hash.update(file).update(readFileSync(path));
  }
  const directory = join(cache, hash.digest('hex').slice(0, 20));
  const lock = `${directory}.lock`;
  mkdirSync(cache, { recursive: true });
  while (!existsSync(directory)) {
    if (take(lock)) {
      try {
        const fresh = mkdtempSync(join(cache, 'fresh-'));
        await synthesize(settings, fresh);
        renameSync(fresh, directory);
      } finally {
        rmdirSync(lock);
      }
    } else await sleep(200);
  }
  removeOld(directory);
  return readStack(directory, 'CgroupMedic');
}

/** Another test file may be at it; one that died is not waited for. */
function take(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    if (existsSync(lock) && Date.now() - statSync(lock).mtimeMs > 120_000) rmSync(lock, { recursive: true });
    return false;
  }
}

function removeOld(present: string): void {
  for (const name of globSync('*', { cwd: cache })) {
    const path = join(cache, name);
    const old = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > 3_600_000;
    if (path !== present && old) rmSync(path, { recursive: true, force: true });
  }
}

export type TestEngine = {
  engine: Engine;
  home: string;
  /** Runs one incident on a recorded node, which is closed at the end of `look`, or on one that is already open. */
  run<T>(props: RunProps, look: (incident: TestIncident) => Promise<T> | T): Promise<T>;
  close(): Promise<void>;
};

type RunProps = {
  node: string | LocalNode;
  cluster?: string;
  approve?: 'yes' | 'no' | 'never' | Decider;
  /** Answers instead. */
  ask?: Asker;
  /** Changes what the node does. */
  change?(node: LocalNode): LocalNode;
  /** Called before the alarm. */
  before?(instanceId: string, id: string): Promise<void>;
} & Pick<WatchIncidentProps, 'stopAt' | 'signal' | 'onEvent'>;

export type TestIncident = WatchedIncident & {
  id: string;
  instanceId: string;
  node: LocalNode;
  directory: RunDirectory;
  publicKey: string;
  /** Who holds the lease of the node now. */
  leaseHolder(): Promise<string | undefined>;
  /** The messages that people got. */
  messages: { kind: string; title: string; text: string }[];
};

/** One account for a whole test file. */
export async function startTestEngine(
  settings = testSettings(),
  {
    oneMachine = true,
    environment = {},
  }: { oneMachine?: boolean; environment?: Record<string, string> } = {},
): Promise<TestEngine> {
  const stack = await testStack(settings);
  const home = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-runs-'));
  const engine = await startEngine({
    stack,
    logFile: join(home, 'functions.log'),
    oneMachine,
    compileCache: join(cache, '../compile-cache'),
    environment,
  });
  let count = 0;
  return {
    engine,
    home,
    async run({ node: name, cluster, approve = 'never', ask, change, before, ...props }, look) {
      count += 1;
      const id = `test-${process.pid}-${count}`;
      const opened = typeof name === 'string' ? await openRecorded(name, id, home) : name;
      const node = change === undefined ? opened : change(opened);
      const { instanceId } = node.managed;
      const directory = new RunDirectory(home, id);
      const messages: TestIncident['messages'] = [];
      const stop = engine.onPublished(({ message }) => {
        const parsed = JSON.parse(message);
        if (parsed.incident === id) messages.push(parsed);
      });
      try {
        if (cluster !== clusters.breaking) await closeBreaker(engine, cluster ?? clusters.auto);
        await before?.(instanceId, id);
        const watched = await watchIncident(engine, {
          id,
          node,
          directory,
          ask: ask ?? askerFor(approve),
          ...(cluster === undefined ? {} : { cluster }),
          ...props,
        });
        return await look({
          ...watched,
          id,
          instanceId,
          node,
          directory,
          messages,
          publicKey: engine.cloud.keys[0]?.publicKeyPem ?? '',
          leaseHolder: () => leaseHolder(engine, instanceId),
        });
      } finally {
        stop();
        if (typeof name === 'string') await opened.close();
      }
    },
    async close() {
      await engine.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Several incidents of one test file may use the same recorded node at the same time: each is an instance of its own. */
async function openRecorded(name: string, id: string, directory: string): Promise<LocalNode> {
  const opened = await openNode({ name, id, directory });
  const instanceId = `i-${createHash('sha256').update(id).digest('hex').slice(0, 17)}`;
  return { ...opened, managed: { ...opened.managed, instanceId } };
}

function askerFor(approve: NonNullable<RunProps['approve']>): Asker {
  if (typeof approve === 'function') return answering(approve);
  return approve === 'never' ? () => new Promise(() => {}) : answeredBy(approve);
}

/** Many incidents of one test file are not helped, and mean nothing to each other; so few at the same time open no breaker. */
async function closeBreaker(engine: Engine, cluster: string): Promise<void> {
  const Key = marshall({ pk: `BREAKER#${cluster}`, sk: 'BREAKER' });
  await engine.cloud.dynamo.send(new DeleteItemCommand({ TableName: stateTable(engine), Key }));
}

/** Name of the table that holds leases and approvals. */
export function stateTable(engine: Engine): string {
  return engine.stack.functions[0]?.environment.STATE_TABLE ?? '';
}

export async function leaseHolder(engine: Engine, instanceId: string): Promise<string | undefined> {
  const { Item } = await engine.cloud.dynamo.send(
    new GetItemCommand({
      TableName: stateTable(engine),
      Key: marshall({ pk: `LEASE#${instanceId}`, sk: 'LEASE' }),
      ConsistentRead: true,
    }),
  );
  return Item === undefined ? undefined : unmarshall(Item).holder;
}
