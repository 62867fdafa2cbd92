import type { Actor } from '../domain/audit/entry.ts';
import type { IncidentState } from '../domain/incident-state.ts';

/** Who allowed the present rung: the person who approved it, or the gate that let it pass. */
export function actorOf({ approval, gate }: Pick<IncidentState, 'approval' | 'gate'>): Actor {
  return approval?.by === undefined
    ? { kind: 'rule', id: `gate:${gate?.gate ?? 'unknown'}` }
    : { kind: 'person', id: approval.by };
}
