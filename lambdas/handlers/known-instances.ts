import { instancesById, nodesByName } from '../adapters/ec2-instances.ts';
import { type ClusterEndpoint, clusterEndpoint } from '../adapters/eks-cluster.ts';
import { clusterToken, lambdaIdentity } from '../adapters/eks-token.ts';
import { intakeEnvironment } from '../adapters/intake-environment.ts';
import { MedicError } from '../adapters/medic-error.ts';
import { instanceOfNode, type NodeQuestion } from '../adapters/node-instance.ts';
import { askNodeInVpc, vpcReader } from '../adapters/vpc-reader.ts';
import { type KnownInstance, type NodeAlarm, nameOf } from '../domain/intake/locate.ts';
import type { Cluster, Settings } from '../domain/settings.ts';

/** How long an API server may take to say which instance one of its nodes is. */
const limitMs = 8000;
/** How long all of them together may take: the function has 30 s, and incidents to start. */
const allMs = 15_000;
/** Questions to API servers at the same time. */
const atOnce = 10;

export type Known = {
  instances: KnownInstance[];
  /** What stood in the way of the answer to an alarm: it has to be read again. */
  unanswered: ReadonlyMap<NodeAlarm, unknown>;
};

/**
 * Every instance that one of these alarms might be about. EC2 knows a node by the id of its instance or by its private DNS name; where
 * it does not, for a node may be called anything, the API server is asked for the provider id. One that does not answer is in the way
 * of the alarms about its nodes only.
 *
 * @throws where EC2 did not answer
 */
export async function knownInstances(alarms: readonly NodeAlarm[], { clusters }: Settings): Promise<Known> {
  const configured = Object.keys(clusters);
  const own = alarms.filter(({ cluster }) => cluster === undefined || configured.includes(cluster));
  const named = own.map((alarm) => ({ alarm, name: nameOf(alarm) }));
  const ids = new Set(named.flatMap(({ name }) => ('instanceId' in name ? [name.instanceId] : [])));
  const nodes = named.flatMap(({ alarm, name }) => ('nodeName' in name ? [{ alarm, ...name }] : []));
  const names = new Set(nodes.map(({ nodeName }) => nodeName));
  const [byId, byName] = await Promise.all([
    ids.size === 0 ? [] : instancesById([...ids]),
    names.size === 0 ? [] : nodesByName([...names], configured),
  ]);
  const isThere = (nodeName: string, cluster: string | undefined): boolean =>
    byName.some((node) => node.nodeNames.includes(nodeName) && (cluster ?? node.cluster) === node.cluster);
  const questions = nodes
    .filter(({ alarm, nodeName }) => !isThere(nodeName, alarm.cluster))
    .flatMap(({ alarm, nodeName }) =>
      (alarm.cluster === undefined ? configured : [alarm.cluster]).flatMap((cluster) => {
        const settings = Object.hasOwn(clusters, cluster) ? clusters[cluster] : undefined;
        return settings === undefined || settings.api.access === 'none'
          ? []
          : [{ alarm, nodeName, cluster, settings }];
      }),
    );
  const { answers, unanswered } = await askApiServers(questions);
  const found = answers.length === 0 ? [] : await instancesById(answers.map(({ instanceId }) => instanceId));
  // The API server says which instance it is; to which cluster that belongs, its tag does.
  const byProvider = found.map((instance) => ({
    ...instance,
    nodeNames: [
      ...instance.nodeNames,
      ...answers.flatMap(({ nodeName, cluster, instanceId }) =>
        instanceId === instance.instanceId && cluster === instance.cluster ? [nodeName] : [],
      ),
    ],
  }));
  return { instances: unique([...byId, ...byName, ...byProvider]), unanswered };
}

type Question = { alarm: NodeAlarm; nodeName: string; cluster: string; settings: Cluster };
type Answer = { nodeName: string; cluster: string; instanceId: string };

async function askApiServers(
  questions: readonly Question[],
): Promise<{ answers: Answer[]; unanswered: Map<NodeAlarm, unknown> }> {
  const answers: Answer[] = [];
  const unanswered = new Map<NodeAlarm, unknown>();
  const endpoints = new Map<string, Promise<ClusterEndpoint>>();
  const deadline = Date.now() + allMs;
  const waiting = [...questions];
  const askNext = async (): Promise<void> => {
    for (let question = waiting.shift(); question !== undefined; question = waiting.shift()) {
      const { alarm, nodeName, cluster, settings } = question;
      try {
        const left = deadline - Date.now();
        if (left <= 0) throw new MedicError(`no time was left to ask the API server of ${cluster}`);
        const { access } = settings.api;
        const endpoint = endpoints.get(cluster) ?? clusterEndpoint(cluster, access === 'public');
        endpoints.set(cluster, endpoint);
        const asked = { cluster, endpoint: await endpoint, nodeName };
        const instanceId = await askApiServer(asked, access, Math.min(left, limitMs));
        if (instanceId !== null) answers.push({ nodeName, cluster, instanceId });
      } catch (error) {
        unanswered.set(alarm, error);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, askNext));
  return { answers, unanswered };
}

async function askApiServer(
  question: NodeQuestion,
  access: Cluster['api']['access'],
  ms: number,
): Promise<string | null> {
  const { cluster } = question;
  if (access === 'vpc') {
    const { lambda, functionName } = vpcReader(intakeEnvironment().CLUSTER_READERS, cluster, ms);
    return (await askNodeInVpc(lambda, functionName, question)).instanceId;
  }
  const token = await clusterToken(cluster, { ...lambdaIdentity(), now: new Date() });
  return (await instanceOfNode(question, token, ms)).instanceId;
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
