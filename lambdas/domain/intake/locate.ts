import type { Located } from './execution.ts';
import { InstanceId, type RawAlarm } from './raw-alarm.ts';
import { quoted, type Refusal, refusal } from './refusal.ts';

/** What EC2 says of one instance, and the API server of its cluster, where it was asked. */
export type KnownInstance = {
  instanceId: string;
  /** `running`, `terminated`, … */
  state: string;
  /** Value of the tag `eks:cluster-name`. */
  cluster?: string;
  /** Names of its node: the private DNS name that EC2 has, and the one of the node whose provider id it is. */
  nodeNames: string[];
};

/** An alarm about an instance or a node: those about another alarm have been looked up before. */
export type NodeAlarm = RawAlarm & { target: { instanceId: string } | { nodeName: string } };

/** What an alarm is asked for by: a node may be called by the id of its instance. */
export function nameOf({ target }: NodeAlarm): { instanceId: string } | { nodeName: string } {
  if ('instanceId' in target) return target;
  return InstanceId.safeParse(target.nodeName).success ? { instanceId: target.nodeName } : target;
}

/**
 * The node that an alarm is about. Fails closed: an instance that is not known to run as a node of a configured cluster, or a name
 * that several have, is refused.
 *
 * @param known every instance that any alarm of the batch might be about
 * @param clusters the configured ones
 */
export function locate(
  alarm: NodeAlarm,
  known: readonly KnownInstance[],
  clusters: readonly string[],
): Located | Refusal {
  const claimed = alarm.cluster;
  if (claimed !== undefined && !clusters.includes(claimed)) {
    return refusal(
      'unknown-cluster',
      `cluster ${quoted(claimed)} of this alarm is not configured: configured are ${clusters.join(', ')}`,
    );
  }
  const name = nameOf(alarm);
  const found = known.filter((instance) =>
    'instanceId' in name
      ? instance.instanceId === name.instanceId
      : instance.nodeNames.includes(name.nodeName) &&
        instance.state === 'running' &&
        (claimed === undefined ? clusters.includes(instance.cluster ?? '') : instance.cluster === claimed),
  );
  const what = 'instanceId' in name ? name.instanceId : `node ${quoted(name.nodeName)}`;
  const [instance, ...others] = found;
  if (instance === undefined) {
    const where =
      'instanceId' in name ? '' : ` as a running node of ${claimed ?? `one of ${clusters.join(', ')}`}`;
    return refusal('unknown-instance', `EC2 does not know ${what}${where}`);
  }
  if (others.length > 0) {
    const ids = found.map(({ instanceId }) => instanceId).join(', ');
    return refusal(
      'ambiguous-node',
      `${what} is the name of several instances: ${ids}; the alarm needs the name of the cluster, or InstanceId`,
    );
  }
  const { instanceId, state, cluster } = instance;
  if (state !== 'running')
    return refusal('unknown-instance', `${instanceId} does not run: EC2 says ${state}`);
  if (cluster === undefined) {
    return refusal(
      'unknown-cluster',
      `${instanceId} has no tag eks:cluster-name, by which it would be known as a node of a cluster`,
    );
  }
  if (!clusters.includes(cluster)) {
    return refusal(
      'unknown-cluster',
      `${instanceId} is a node of ${quoted(cluster)}, which is not configured: configured are ${clusters.join(', ')}`,
    );
  }
  if (claimed !== undefined && claimed !== cluster) {
    return refusal(
      'wrong-cluster',
      `${instanceId} is a node of ${cluster}, and not of ${claimed}, as the alarm says`,
    );
  }
  return { alarm, instanceId, cluster };
}
