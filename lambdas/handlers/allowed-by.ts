import type { Actor } from '../domain/audit/entry.ts';
import type { IncidentState } from '../domain/incident-state.ts';

/** Who allowed the present rung: the person who approved it, for this node or for its group, or the gate that let it pass. */
export function actorOf({ approval, gate }: Pick<IncidentState, 'approval' | 'gate'>): Actor {
  // Of a whole group, and not of this node alone.
  if (approval === undefined && gate?.agreed !== undefined) return { kind: 'person', id: gate.agreed.by };
  return approval?.by === undefined
    ? { kind: 'rule', id: `gate:${gate?.gate ?? 'unknown'}` }
    : { kind: 'person', id: approval.by };
}
