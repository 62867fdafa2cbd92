import { type ClusterNode, type LocalApiServer, startApiServer } from '../../local/cloud/kubernetes-api.ts';
import type { KubernetesObject } from '../../local/cloud/kubernetes-changes.ts';
import { type ClusterUnderTest, instanceId, type PodWanted } from './cluster-under-test.ts';
import { startFront } from './front.ts';

const namespace = 'shop';
const node = { metadata: { name: 'ip-10-0-0-1.ec2.internal', uid: 'node-uid' }, status: {} };

/** The stand-in of `local/cloud`, as it is in `npm start`. */
export async function standIn(): Promise<ClusterUnderTest> {
  const pods: ReturnType<typeof podOf>[] = [];
  const cluster = { node, pods, events: [], podCertificateRequests: [], kubeletMetrics: null };
  const server = await startApiServer({
    nodes: () => [{ instanceId, cluster: cluster as unknown as ClusterNode['cluster'] }],
  });
  const front = await startFront({
    server: server.endpoint,
    tls: { ca: server.certificateAuthority },
    identity: (authorization) => ({ authorization }),
    translated: (body) => body,
  });
  return {
    ...changesOf(server, pods),
    front,
    endpoint: () => front.endpoint,
    node: node.metadata.name,
    namespace,
  };

  function changesOf({ changes }: LocalApiServer, running: typeof pods) {
    const object: KubernetesObject = node;
    return {
      async nodeNow() {
        const { metadata, spec } = changes.node(object);
        const { unschedulable = false } = (spec ?? {}) as { unschedulable?: boolean };
        return { annotations: metadata.annotations ?? {}, unschedulable };
      },
      touch: async (change: Parameters<ClusterUnderTest['touch']>[0]) => changes.touch(object, change),
      run: async (wanted: readonly PodWanted[]) => void running.push(...wanted.map(podOf)),
      uidOf: async (pod: string) => `uid-${pod}`,
      async allow(name: string, selected: readonly string[], allowed: number) {
        const known = changes.budgets.find((one) => one.name === name);
        if (known === undefined) changes.budgets.push({ namespace, name, pods: selected, allowed });
        else known.allowed = allowed;
      },
      async loseSight(name: string) {
        const known = changes.budgets.find((one) => one.name === name);
        if (known !== undefined) known.allowed = 0;
      },
      async finish(pod: string) {
        const found = running.find(({ metadata }) => metadata.name === pod);
        if (found !== undefined) found.status.phase = 'Succeeded';
      },
      async makeClaim(name: string, of: string) {
        changes.nodeClaims.push({ name, uid: `uid-${name}`, instanceId: of });
      },
      isClaimLeaving: async (name: string) =>
        changes.nodeClaims.find((one) => one.name === name)?.deleting ?? false,
      leaving: async () => changes.evicted.map((pod) => pod.slice(namespace.length + 1)).sort(),
      // Of those that are on their way out it tells once more, and then no longer.
      endLeaving: async () => {},
      async close() {
        await front.close();
        await server.close();
      },
    };
  }
}

function podOf({ name, owner = 'ReplicaSet' }: PodWanted) {
  return {
    metadata: {
      name,
      namespace,
      uid: `uid-${name}`,
      ownerReferences: [{ kind: owner, name: 'x', controller: true }],
    },
    spec: { containers: [] },
    status: { phase: 'Running' },
  };
}
