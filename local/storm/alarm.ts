import { setTimeout as sleep } from 'node:timers/promises';
import { clusterTag } from '../../lambdas/adapters/instance-cluster.ts';
import type { Engine } from '../engine/engine.ts';
import { drainQueue } from '../engine/queues.ts';
import { localCluster } from '../local-settings.ts';
import { recordedAround } from '../node/recorded-node.ts';
import type { FleetNode } from './fleet.ts';
import type { Tape } from './tape.ts';

type Attached = { node: FleetNode; veto: string; sample: string; cluster?: string };

/** Makes a node of the fleet one of the cloud. */
export function attach(
  engine: Engine,
  tape: Tape,
  { node, veto, sample, cluster = localCluster }: Attached,
): void {
  const around = recordedAround(sample);
  if (around?.cluster !== undefined) around.cluster.node.metadata.name = node.nodeName;
  engine.cloud.ssm.attach({
    instanceId: node.instanceId,
    run: tape.agentOf(node),
    online: node.fate !== 'silent',
    zone: node.zone,
    imageId: node.imageId,
    privateDnsName: node.nodeName,
    tags: {
      [clusterTag]: cluster,
      'eks:nodegroup-name': node.nodeGroup,
      ...(node.fate === 'vetoed' ? { [veto]: 'a storm must not touch it' } : {}),
    },
    ...(around === undefined ? {} : { around }),
  });
}

/**
 * The census finds them all in one run, and each finding is an alarm in the queue.
 *
 * @param signal after it, no further one opens an incident
 */
export async function alarm(
  engine: Engine,
  nodes: readonly FleetNode[],
  { cluster = localCluster, signal }: { cluster?: string; signal?: AbortSignal } = {},
): Promise<void> {
  const queueUrl =
    engine.stack.queues.find(({ logicalId }) => logicalId.startsWith('IntakeAlarms'))?.url ?? '';
  const at = new Date().toISOString();
  for (const { instanceId } of nodes) {
    const payload = { cluster, instanceId, at, reason: 'a storm' };
    engine.cloud.queues.put({ queueUrl, body: JSON.stringify({ source: 'census', received: at, payload }) });
  }
  // A message that fails is delivered again, and in the end is among the dead letters.
  for (let tries = 0; tries < 10; tries += 1) {
    const { left } = await drainQueue(engine, queueUrl, signal);
    if (left === 0 || signal?.aborted) return;
    await sleep(1000);
  }
}
