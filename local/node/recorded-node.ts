import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { temporaryFolder } from '../temporary-folder.ts';
import { agentEnvironment } from './agent-machine.ts';
import { Holder, KernelModel, Moves, Response } from './kernel-model.ts';
import { type RecordedAround, readAround } from './recorded-around.ts';
import { changedTree, makeOld, materialise, readTree, type Tree } from './recorded-tree.ts';
import { type DocumentResult, type RunDocument, runDocument } from './ssm-agent.ts';
import { type Healthz, startHealthz } from './stand-in-healthz.ts';
import { standInFiles } from './stand-ins.ts';

const nodesFolder = join(import.meta.dirname, '..', 'nodes');

/** What `node.json` says about a recorded node. */
export const RecordedNodeDescription = z.strictObject({
  title: z.string(),
  /** Where the files come from, and what in them was made up. */
  provenance: z.string(),
  hierarchy: z.enum(['v1', 'v2']),
  response: Response,
  /** The folder beside this one whose tree this node has, but for what its own `difference.json` says. */
  tree: z.string().optional(),
  holders: z.array(Holder),
  growsPerSecond: z.number().nonnegative().default(0),
  /** A file whose existence ends the growth, such as the one that makes a user linger. */
  growsUntil: z.string().optional(),
  /** What counters of its kernel go on by. */
  moves: Moves.default({}),
  /** It has stand-ins for systemctl, loginctl, journalctl, crictl, rmdir and the kubelet. */
  services: z.boolean().default(false),
});
export type RecordedNodeDescription = z.infer<typeof RecordedNodeDescription>;

export type RecordedNode = {
  name: string;
  /** The folder that stands for the node's root. */
  root: string;
  describe: RecordedNodeDescription;
  response: Response;
  /** What its documents have in their environment beside what the agent gives them. */
  env: Readonly<Record<string, string>>;
  /** What is known around it; `undefined` where that was not recorded. */
  around: RecordedAround | undefined;
  /** Runs a document on the node as its agent would; a silent one takes it and is never heard of again. */
  run(options: Pick<RunDocument, 'content' | 'parameters' | 'signal' | 'onOutput'>): Promise<DocumentResult>;
  close(): Promise<void>;
};

/** The recorded nodes by name. */
export function listRecordedNodes(): string[] {
  return readdirSync(nodesFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(nodesFolder, entry.name, 'node.json')))
    .map((entry) => entry.name)
    .sort();
}

export function describeRecordedNode(name: string): RecordedNodeDescription {
  const names = listRecordedNodes();
  if (!names.includes(name))
    throw new Error(`unknown recorded node "${name}": use one of ${names.join(', ')}`);
  return RecordedNodeDescription.parse(
    JSON.parse(readFileSync(join(nodesFolder, name, 'node.json'), 'utf8')),
  );
}

export function recordedTree(name: string): Tree {
  const { tree: from = name, services } = describeRecordedNode(name);
  const tree = { ...readTree(join(nodesFolder, from, 'tree.json')), ...(services ? standInFiles() : {}) };
  const difference = join(nodesFolder, name, 'difference.json');
  return existsSync(difference) ? changedTree(tree, difference) : tree;
}

/** What is known around a recorded node, which is nothing for most of them. */
export function recordedAround(name: string): RecordedAround | undefined {
  describeRecordedNode(name);
  return readAround(nodesFolder, name);
}

/** Lays a recorded node out in a folder of its own and starts the model of its kernel. Close it to remove both. */
export async function openRecordedNode(name: string): Promise<RecordedNode> {
  const describe = describeRecordedNode(name);
  const root = temporaryFolder('node');
  let model: KernelModel | undefined;
  let healthz: Healthz | undefined;
  try {
    const tree = recordedTree(name);
    const knobs = materialise(tree, root);
    makeOld(tree, root);
    model = new KernelModel({ root, knobs, ...describe });
    if (describe.services) healthz = await startHealthz();
  } catch (error) {
    model?.close();
    rmSync(root, { recursive: true, force: true });
    throw error;
  }
  const { response } = describe;
  const env = {
    // Its own commands come first.
    PATH: `${join(root, 'usr/bin')}:${agentEnvironment.PATH}`,
    ...(healthz === undefined ? {} : { CGROUP_MEDIC_HEALTHZ_PORT: String(healthz.port) }),
  };
  return {
    name,
    root,
    describe,
    response,
    env,
    around: recordedAround(name),
    run: (options) => {
      if (response === 'silent') return silence(options.signal);
      if (response === 'garbage') return Promise.resolve(garbage());
      return runDocument({ ...options, root, env });
    },
    close: async () => {
      model.close();
      await healthz?.close();
      // A watcher of a killed reclaim ends, and writes its last, within a second of its state being gone.
      for (let attempt = 0; ; attempt++) {
        try {
          rmSync(root, { recursive: true, force: true });
          return;
        } catch (error) {
          if (attempt >= 20) throw error;
          await sleep(100);
        }
      }
    },
  };
}

function silence(signal: AbortSignal | undefined): Promise<DocumentResult> {
  return new Promise((resolve) => {
    const end = () =>
      resolve({
        status: 'Cancelled',
        responseCode: -1,
        stdout: '',
        stderr: '',
        rebootRequested: false,
        steps: [],
      });
    if (signal?.aborted) end();
    else signal?.addEventListener('abort', end, { once: true });
  });
}

/** What a broken profile script in front of the document can make of its output. */
function garbage(): DocumentResult {
  const stdout = 'Welcome!\u001b[31m 3 updates available\n{"version":1,"document":"collect-evi';
  return { status: 'Success', responseCode: 0, stdout, stderr: '', rebootRequested: false, steps: [] };
}
