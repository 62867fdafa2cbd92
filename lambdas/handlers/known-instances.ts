import { EKSClient } from '@aws-sdk/client-eks';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { instancesById, nodesByName } from '../adapters/ec2-instances.ts';
import { clusterEndpoint } from '../adapters/eks-cluster.ts';
import { clusterToken, lambdaIdentity } from '../adapters/eks-token.ts';
import { impatient } from '../adapters/impatient.ts';
import { intakeEnvironment } from '../adapters/intake-environment.ts';
import { MedicError } from '../adapters/medic-error.ts';
import { instanceOfNode } from '../adapters/node-instance.ts';
import { askNodeInVpc } from '../adapters/vpc-reader.ts';
import { type KnownInstance, type NodeAlarm, nameOf } from '../domain/intake/locate.ts';
import type { Cluster, Settings } from '../domain/settings.ts';

/** How long an API server may take to say which instance one of its nodes is. */
const limitMs = 8000;

/**
 * Every instance that one of these alarms might be about. EC2 knows a node by the id of its instance or by its private DNS name; where
 * it does not, for a node may be called anything, the API server is asked for the provider id.
 *
 * @throws where somebody did not answer: the alarms have to be read again
 */
export async function knownInstances(
  alarms: readonly NodeAlarm[],
  { clusters }: Settings,
): Promise<KnownInstance[]> {
  const configured = Object.keys(clusters);
  const own = alarms.filter(({ cluster }) => cluster === undefined || configured.includes(cluster));
  const ids = new Set<string>();
  const nodes = new Map<string, NodeAlarm>();
  for (const alarm of own) {
    const name = nameOf(alarm);
    if ('instanceId' in name) ids.add(name.instanceId);
    else nodes.set(`${name.nodeName} ${alarm.cluster ?? ''}`, alarm);
  }
  const names = [
    ...new Set([...nodes.values()].flatMap(({ target }) => ('nodeName' in target ? [target.nodeName] : []))),
  ];
  const [byId, byName] = await Promise.all([
    ids.size === 0 ? [] : instancesById([...ids]),
    names.length === 0 ? [] : nodesByName(names, configured),
  ]);
  const known = [...byId, ...byName];

  const asked: { nodeName: string; cluster: string; instanceId: string }[] = [];
  for (const { target, cluster } of nodes.values()) {
    if (!('nodeName' in target)) continue;
    const { nodeName } = target;
    const there = byName.some(
      (node) => node.nodeNames.includes(nodeName) && (cluster === undefined || node.cluster === cluster),
    );
    if (there) continue;
    for (const name of cluster === undefined ? configured : [cluster]) {
      const settings = Object.hasOwn(clusters, name) ? clusters[name] : undefined;
      if (settings === undefined || settings.api.access === 'none') continue;
      const instanceId = await askApiServer(name, settings, nodeName);
      if (instanceId !== null) asked.push({ nodeName, cluster: name, instanceId });
    }
  }
  if (asked.length === 0) return unique(known);
  const found = await instancesById(asked.map(({ instanceId }) => instanceId));
  // The API server says which instance it is; to which cluster that belongs, its tag does.
  const named = found.map((instance) => ({
    ...instance,
    nodeNames: [
      ...instance.nodeNames,
      ...asked.flatMap(({ nodeName, cluster, instanceId }) =>
        instanceId === instance.instanceId && cluster === instance.cluster ? [nodeName] : [],
      ),
    ],
  }));
  return unique([...known, ...named]);
}

async function askApiServer(cluster: string, { api }: Cluster, nodeName: string): Promise<string | null> {
  const endpoint = await clusterEndpoint(new EKSClient(impatient), cluster, api.access === 'public');
  const question = { cluster, endpoint, nodeName };
  if (api.access === 'vpc') {
    const { CLUSTER_READERS } = intakeEnvironment();
    const reader = Object.hasOwn(CLUSTER_READERS, cluster) ? CLUSTER_READERS[cluster] : undefined;
    if (reader === undefined) {
      throw new MedicError(`there is no function in the VPC of ${cluster}: deploy the stack again`);
    }
    return (await askNodeInVpc(new LambdaClient(impatient), reader, question)).instanceId;
  }
  const token = await clusterToken(cluster, { ...lambdaIdentity(), now: new Date() });
  return (await instanceOfNode(question, token, limitMs)).instanceId;
}

/** One entry for each instance, with all the names it is known by. */
function unique(known: readonly KnownInstance[]): KnownInstance[] {
  const byId = new Map<string, KnownInstance>();
  for (const instance of known) {
    const { nodeNames = [] } = byId.get(instance.instanceId) ?? {};
    byId.set(instance.instanceId, {
      ...instance,
      nodeNames: [...new Set([...nodeNames, ...instance.nodeNames])],
    });
  }
  return [...byId.values()];
}
