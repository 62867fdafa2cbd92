import type { Diagnosed, Nothing } from './treatment.ts';

export const noRestarts: Nothing = { nothing: 'what leaks is not started again and again by this node' };

/**
 * Whether a diagnosis is about something that the node itself starts again and again. An agent that leaks memory leaves
 * no dying cgroups, and one that lives in a pod belongs to the owner of its object.
 */
export function concernsRestarts({ cause, variant }: Diagnosed): boolean {
  return cause !== 'agent-leak' || variant === undefined || variant === 'crash-loop';
}
