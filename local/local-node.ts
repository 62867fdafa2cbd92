import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { hostname, release } from 'node:os';
import { join } from 'node:path';
import type { CauseId } from '../lambdas/domain/causes/cause.ts';
import type { ManagedNode } from './cloud/ssm.ts';
import { defaultFault } from './faults.ts';
import { shipped } from './local-settings.ts';
import { checkHost, KernelFreesThemError, makeLeak } from './node/host-leak.ts';
import { recordedTags } from './node/recorded-around.ts';
import { openRecordedNode } from './node/recorded-node.ts';
import { runDocument } from './node/ssm-agent.ts';
import { type FaultyNode, startFaultyNode } from './vm/faulty-node.ts';
import { VirtualNodeError } from './vm/virtual-node.ts';

/** A node of this machine: the machine itself, a virtual one, or a recorded one. */
export type LocalNode = {
  /** The host, the virtual node, or the name of a recorded one. */
  title: string;
  /** What is wrong with it. */
  about: string;
  /** Where the numbers of a recorded node come from. */
  provenance?: string;
  recorded: boolean;
  /** It is still there when the run has ended. */
  lasts: boolean;
  /** The folder that stands for the root of a recorded node. */
  root?: string;
  managed: ManagedNode;
  /** What is wrong with it, where this process can count that by itself: "dying memory cgroups", and how many. */
  symptom?: {
    what: string;
    count: () => number | Promise<number>;
    /** Fewer when the incident begins, and the fault has gone by itself: whatever came then would not be its repair. */
    least?: number;
  };
  close(): Promise<void>;
};

/** Dying cgroups of a real leak: enough to be a fault by the shipped thresholds. */
const leakSize = 6000;

/** Raised when a node cannot be had; the message says what is missing and what to do instead. */
export class NodeUnavailableError extends Error {
  override readonly name = 'NodeUnavailableError';
}

/** The cgroup of this run's own leak, which is the only one that a treatment may touch on the host. */
export function leakSlice(id: string): string {
  return `/cgroup-medic-leak-${id}`;
}

export interface OpenNodeProps {
  /** `host`, `vm`, or the name of a recorded node. */
  readonly name: string;
  /** What is to be wrong with a virtual node; the others have their fault. @default dying-memcgs */
  readonly fault?: CauseId;
  readonly id: string;
  /** A directory on a real file system, for the files of a real leak. */
  readonly directory: string;
  readonly signal?: AbortSignal;
  onProgress?(text: string): void;
}

/** Makes the leak on the host or the fault in a virtual node, or lays out a recorded node. */
export function openNode(props: OpenNodeProps): Promise<LocalNode> {
  if (props.name === 'host') return openHost(props);
  return props.name === 'vm' ? openVirtual(props) : openRecorded(props);
}

/** @throws NodeUnavailableError that says what is missing for a real leak here, and which command works instead */
export function requireHost(): void {
  const check = checkHost();
  if (!check.possible) {
    throw new NodeUnavailableError(
      `no real leak can be made on this host: ${check.missing}. This works: ${check.instead}`,
    );
  }
}

async function openHost({ id, directory, signal, onProgress }: OpenNodeProps): Promise<LocalNode> {
  requireHost();
  const leak = await makeLeak({
    id,
    count: leakSize,
    dir: directory,
    ...(signal === undefined ? {} : { signal }),
    onProgress: (made, count) => onProgress?.(`${made} of ${count} dying cgroups made`),
  }).catch((error: unknown) => {
    if (error instanceof KernelFreesThemError || signal?.aborted) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new NodeUnavailableError(
      `no real leak can be made on this host: ${reason}. This works: npm start -- --node v2-zombies`,
    );
  });
  return {
    title: `this host (${hostname()}, kernel ${release()})`,
    about: `a real leak in ${leakSlice(id)}, a cgroup of its own, from files below ${directory}. Nothing else on this host is treated. A lock and a short history of evidence stay in /var/lib/cgroup-medic; the twenty empty cgroups and the tracing instance of an examination are removed again`,
    recorded: false,
    lasts: true,
    managed: {
      instanceId: instanceIdOf(hostname()),
      run: (content, parameters, signal) => runDocument({ content, parameters, signal }),
    },
    symptom: {
      what: 'dying memory cgroups',
      count: () => leak.countDying(),
      least: shipped().thresholds.dyingCount,
    },
    close: async () => {
      await leak.remove();
      // What a treatment keeps of an incident on a node; this one is over, and the host should be as it was. The next
      // run begins with a lease table of its own, so a fencing number of this one would only stand in its way.
      for (const kept of [join('reclaim', id), 'fencing']) {
        await rm(join('/var/lib/cgroup-medic', kept), { recursive: true, force: true });
      }
    },
  };
}

async function openVirtual(props: OpenNodeProps): Promise<LocalNode> {
  const { fault = defaultFault, signal, onProgress } = props;
  const started = await startFaultyNode(fault, {
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  }).catch((error: unknown) => {
    throw error instanceof VirtualNodeError ? new NodeUnavailableError(error.message) : error;
  });
  return virtualNode(started);
}

/** A virtual node that has been started, with a fault in it, as a node of this machine. */
export function virtualNode({ node, fault }: FaultyNode): LocalNode {
  return {
    title: `a virtual node (${node.title})`,
    about: `${fault.about}, in a machine that is thrown away afterwards; nothing on this host is touched`,
    recorded: false,
    lasts: false,
    managed: {
      instanceId: instanceIdOf('vm'),
      run: (content, parameters, signal) => node.runDocument({ content, parameters, signal }),
    },
    symptom: { what: fault.symptom.what, count: () => fault.symptom.count(node) },
    close: () => node.close(),
  };
}

async function openRecorded({ name }: OpenNodeProps): Promise<LocalNode> {
  const node = await openRecordedNode(name);
  return {
    title: name,
    about: node.describe.title,
    provenance: node.describe.provenance,
    recorded: true,
    lasts: false,
    root: node.root,
    managed: {
      instanceId: instanceIdOf(name),
      run: (content, parameters, signal) => node.run({ content, parameters, signal }),
      ...(node.around === undefined ? {} : { around: node.around, tags: recordedTags(node.around) }),
    },
    close: () => node.close(),
  };
}

/** An EC2 instance id that is the same in every run. */
function instanceIdOf(name: string): string {
  return `i-${createHash('sha256').update(name).digest('hex').slice(0, 17)}`;
}
