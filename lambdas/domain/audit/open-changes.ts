import type { AuditEntry } from './entry.ts';

/** The inverse of a change that a document makes on the node. */
export type UndoDocument = { document: string; arguments: Record<string, string> };
/** The inverse of a cordon, which is made through the API server of the cluster. */
export type Uncordon = { uncordon: { node: string } };

/** A treatment that was begun, and of which the trail does not say that it ended clean, helped for good or was undone. */
export type OpenChange = {
  rung: number;
  treatment: string;
  document: string;
  /** The command on the node, where it is known that one was sent. */
  commandId?: string;
  undo: UndoDocument | Uncordon;
  /** The change is meant to stay once it has helped; any other leaves nothing behind when all is well. */
  standing: boolean;
};

/**
 * The changes that may still stand on the node, in the order they were begun. The trail is the write-ahead log: an
 * intent is written before the act, so a crash at any point leaves the intent to be found here.
 */
export function openChanges(entries: AuditEntry[]): OpenChange[] {
  const open = new Map<number, OpenChange>();
  for (const entry of entries) {
    const { rung } = entry;
    if (rung === undefined) continue;
    const change = open.get(rung);
    switch (entry.step) {
      case 'cordon.intended':
      case 'treatment.intended': {
        const undo = undoOf(entry);
        if (undo !== undefined) {
          const { treatment = '', document = '' } = entry;
          open.set(rung, { rung, treatment, document, undo, standing: entry.details?.standing === true });
        }
        break;
      }
      case 'treatment.sent':
        if (change !== undefined && typeof entry.details?.commandId === 'string') {
          change.commandId = entry.details.commandId;
        }
        break;
      case 'treatment.finished':
        if (entry.details?.clean === true) open.delete(rung);
        // With the node everything has gone that stood on it.
        if (entry.details?.nodeGone === true) open.clear();
        break;
      case 'verified':
        if (change?.standing && (entry.outcome === 'cured' || entry.outcome === 'relieved'))
          open.delete(rung);
        break;
      case 'cordon.finished':
      case 'undo.finished':
        // The cordon of an earlier rung keeps the node as it is.
        if (entry.outcome === 'kept') open.delete(rung);
        if (entry.outcome !== 'done' && entry.outcome !== 'nothing') break;
        open.delete(rung);
        // A node has one cordon, whichever rungs of this incident wanted it.
        if (change !== undefined && 'uncordon' in change.undo) {
          for (const [other, { undo }] of open) if ('uncordon' in undo) open.delete(other);
        }
        break;
    }
  }
  return [...open.values()];
}

/** The change that an undo takes back first: one of the present rung. What an earlier rung keeps standing may still be wanted. */
export function changeToUndo(entries: AuditEntry[], rung: number): OpenChange | undefined {
  const changes = openChanges(entries);
  return changes.find((change) => change.rung === rung) ?? changes.find(({ undo }) => !('uncordon' in undo));
}

/** Cordons of an incident that may still stand. */
export function openCordons(entries: AuditEntry[]): (OpenChange & { undo: Uncordon })[] {
  return openChanges(entries).flatMap((change) =>
    'uncordon' in change.undo ? [{ ...change, undo: change.undo }] : [],
  );
}

function undoOf(entry: AuditEntry): OpenChange['undo'] | undefined {
  const undo = (entry.details?.undo ?? {}) as Partial<UndoDocument & Uncordon>;
  if (typeof undo.uncordon?.node === 'string') return { uncordon: { node: undo.uncordon.node } };
  return typeof undo.document === 'string' ? (undo as UndoDocument) : undefined;
}
