import type { Engine } from '../engine/engine.ts';
import { alarm, attach } from './alarm.ts';
import { answer } from './cards.ts';
import { fleetOf } from './fleet.ts';
import type { StormOptions } from './options.ts';
import { rehearsalCluster } from './settings.ts';
import type { Tape } from './tape.ts';

const noShares = { silent: 0, stubborn: 0, recovering: 0, vetoed: 0 };

/**
 * One incident by itself, before the storm: what a treatment did is recorded at the pace of a single incident. In the storm the looks
 * at a node are minutes apart, and a node that grows by the second would not be the same.
 */
export async function rehearse(
  engine: Engine,
  tape: Tape,
  options: StormOptions,
  write: (text: string) => void,
): Promise<void> {
  const [node] = fleetOf({ nodes: 1, seed: options.seed + 1, shares: noShares });
  if (node === undefined) return;
  attach(engine, tape, { node, veto: '', sample: options.sample, cluster: rehearsalCluster });
  const stop = engine.onPublished(({ message }) => {
    void answer(engine, message, options.approve, []);
  });
  write('one incident is rehearsed, to record what the nodes will answer\n');
  await alarm(engine, [node], { cluster: rehearsalCluster });
  await Promise.all(engine.executions.all().map(({ ended }) => ended));
  stop();
  engine.cloud.ssm.detach(node.instanceId);
}
