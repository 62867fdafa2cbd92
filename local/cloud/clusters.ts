import { clusterTag } from '../../lambdas/adapters/instance-cluster.ts';
import { type ClusterNode, type LocalApiServer, startApiServer } from './kubernetes-api.ts';
import type { LocalOwners } from './owners.ts';
import type { ManagedNode } from './ssm.ts';

/** The API servers of clusters that have a node of which it was recorded what one knows. Each starts when it is first asked for. */
export class LocalClusters {
  readonly #nodes: () => readonly ManagedNode[];
  readonly #owners: LocalOwners;
  readonly #servers = new Map<string, Promise<LocalApiServer>>();

  constructor(nodes: () => readonly ManagedNode[], owners: LocalOwners) {
    this.#nodes = nodes;
    this.#owners = owners;
  }

  /** Where the API server of a cluster is; `undefined` for one of which nothing was recorded. */
  async named(name: string): Promise<LocalApiServer | undefined> {
    const known = this.#servers.get(name);
    if (known === undefined && this.#of(name).length === 0) return undefined;
    const started = known ?? startApiServer({ nodes: () => this.#of(name) });
    this.#servers.set(name, started);
    return started;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#servers.values()].map(async (server) => (await server).close()));
  }

  #of(name: string): ClusterNode[] {
    return this.#nodes()
      .filter(({ tags }) => tags?.[clusterTag] === name)
      .flatMap((node) => this.#owners.nodeOf(node));
  }
}
