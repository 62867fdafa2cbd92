import { createHash } from 'node:crypto';
import type { LocalGroup } from './autoscaling.ts';
import type { LocalNodeGroup } from './eks.ts';
import type { ClusterNode } from './kubernetes-api.ts';
import type { ManagedNode } from './ssm.ts';

/** From the end of an instance until its node has gone and the next one is there; a real one takes minutes. */
const exchangeMs = 1000;

type Made = { group: LocalGroup; next: string; endedAt?: number };

/**
 * The Auto Scaling groups, and what they do: one of which it was recorded that a node is in it makes another in its place once it has
 * been asked to end it. Those that a test has put here only end what they are asked to end.
 */
export class LocalOwners {
  readonly #nodes: () => readonly ManagedNode[];
  /** Groups of tests. */
  readonly groups: LocalGroup[] = [];
  /** Managed node groups that are not simply active, by their names; a test puts them here. */
  readonly nodeGroups = new Map<string, LocalNodeGroup>();
  /** Groups of recorded nodes, by the instance. */
  readonly #made = new Map<string, Made>();

  constructor(nodes: () => readonly ManagedNode[]) {
    this.#nodes = nodes;
  }

  /** All groups as they are now. */
  all(): LocalGroup[] {
    for (const node of this.#nodes()) this.#of(node);
    return [...this.groups, ...[...this.#made.values()].map(({ group }) => group)];
  }

  /** A managed node group that a recorded node is in. */
  nodeGroup(name: string): LocalNodeGroup | undefined {
    const known = this.#nodes().some(({ around }) => around?.group?.nodeGroup === name);
    return this.nodeGroups.get(name) ?? (known ? { status: 'ACTIVE' } : undefined);
  }

  /** The node that the cluster has now for what was recorded: itself, or the one that came in its place. */
  nodeOf(node: ManagedNode): ClusterNode[] {
    const { instanceId, around } = node;
    if (around?.cluster === undefined) return [];
    const made = this.#of(node);
    if (made === undefined || around.group === undefined || made.group.instances[instanceId] !== undefined) {
      return [{ instanceId, cluster: around.cluster }];
    }
    const { node: bare, pods } = around.group.next;
    // Not before its group was asked for it.
    const creationTimestamp = new Date(made.endedAt ?? 0).toISOString();
    const arrived = { ...bare, metadata: { ...bare.metadata, creationTimestamp } };
    return [
      {
        instanceId: made.next,
        cluster: { node: arrived, pods, events: [], podCertificateRequests: [], kubeletMetrics: null },
      },
    ];
  }

  #of({ instanceId, around }: ManagedNode): Made | undefined {
    if (around?.group === undefined) return undefined;
    const made: Made = this.#made.get(instanceId) ?? {
      group: { name: around.group.name, desired: 1, instances: { [instanceId]: 'InService' }, suspended: [] },
      next: `i-${createHash('sha256').update(`${instanceId}, the next`).digest('hex').slice(0, 17)}`,
    };
    this.#made.set(instanceId, made);
    if (made.group.instances[instanceId] === 'Terminating') {
      made.endedAt ??= Date.now();
      if (Date.now() >= made.endedAt + exchangeMs) made.group.instances = { [made.next]: 'InService' };
    }
    return made;
  }
}
