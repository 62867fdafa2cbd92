import type { LocalNode } from '../../local/local-node.ts';
import { RecordedAround } from '../../local/node/recorded-around.ts';

/**
 * A recorded node as its cluster has it: Ready, by a word of its kubelet that is always new, and with a name of its own, so that
 * several of one recording can be in one cluster.
 */
export function inCluster(node: LocalNode, spec: { unschedulable?: boolean } = {}): LocalNode {
  const { instanceId, around } = node.managed;
  if (around?.cluster === undefined) throw new Error(`nothing is known around ${node.title}`);
  const { metadata, ...rest } = around.cluster.node as { metadata: { name: string }; spec?: object };
  const name = metadata.name.includes(instanceId) ? metadata.name : `${metadata.name}-${instanceId}`;
  const named = {
    ...rest,
    metadata: { ...metadata, name, uid: `uid-${instanceId}` },
    spec: { ...rest.spec, ...spec },
    status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: 'ago:1' }] },
  };
  const known = RecordedAround.parse({ ...around, cluster: { ...around.cluster, node: named } });
  return { ...node, managed: { ...node.managed, around: known } };
}
