import { installTools, type NodeTools, nodeTools } from '../../local/vm/node-tools.ts';
import type { VariantName } from '../../local/vm/variants.ts';
import { startVirtualNode, type VirtualNode } from '../../local/vm/virtual-node.ts';
import type { Context } from './part.ts';

export type Guest = NodeTools & { node: VirtualNode };

/** Boots a virtual node for `act`, and switches it off. */
export async function withGuest<T>(
  variant: VariantName,
  { say, signal }: Context,
  act: (guest: Guest) => Promise<T>,
): Promise<T> {
  const node = await startVirtualNode({ variant, onProgress: say, signal });
  // However far it is: what waits for the node then fails.
  const close = (): void => void node.close();
  signal.addEventListener('abort', close, { once: true });
  try {
    await installTools(node);
    return await act({ ...nodeTools(variant, () => node), node });
  } finally {
    signal.removeEventListener('abort', close);
    await node.close();
  }
}
