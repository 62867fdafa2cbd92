import type { CauseId } from '../../lambdas/domain/causes/cause.ts';
import type { Fault } from './faults/fault.ts';
import { virtualFaults } from './faults/index.ts';
import { startVirtualNode, type VirtualNode, VirtualNodeError } from './virtual-node.ts';

export type FaultyNode = { node: VirtualNode; fault: Fault };

/**
 * A virtual node with a real fault in it.
 *
 * @throws VirtualNodeError
 */
export async function startFaultyNode(
  cause: CauseId,
  options: { signal?: AbortSignal; onProgress?: (text: string) => void },
): Promise<FaultyNode> {
  const fault = virtualFaults[cause];
  if (fault === undefined) throw new VirtualNodeError(`${cause} cannot be made in a virtual node`);
  const node = await startVirtualNode(options);
  try {
    options.onProgress?.(`making the fault ${cause} in it`);
    await fault.make(node, options.signal);
    return { node, fault };
  } catch (error) {
    await node.close();
    throw error;
  }
}
