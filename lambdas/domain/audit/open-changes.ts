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
  let open: OpenChange[] = [];
  for (const entry of entries) {
    const { rung } = entry;
    if (rung === undefined) continue;
    const own = open.filter((change) => isOf(change, entry.treatment, rung));
    const others = open.filter((change) => !own.includes(change));
    switch (entry.step) {
      case 'cordon.intended':
      case 'treatment.intended': {
        const undo = undoOf(entry);
        if (undo !== undefined) {
          const { treatment = '', document = '' } = entry;
          const standing = entry.details?.standing === true;
          open = [...others, { rung, treatment, document, undo, standing }];
        }
        break;
      }
      case 'treatment.sent':
        if (typeof entry.details?.commandId === 'string') {
          for (const change of own) change.commandId = entry.details.commandId;
        }
        break;
      case 'treatment.finished':
        if (entry.details?.clean === true) open = others;
        // With the node everything has gone that stood on it.
        if (entry.details?.nodeGone === true) open = [];
        // A person was told what to do about it: nothing of this incident takes it back.
        if (entry.details?.cordonKept === true) open = open.filter((change) => !isCordon(change));
        break;
      case 'verified':
        if (entry.outcome === 'cured' || entry.outcome === 'relieved')
          open = open.filter((change) => !(change.standing && own.includes(change)));
        break;
      case 'cordon.finished':
      case 'undo.finished':
        // The cordon of an earlier rung keeps the node as it is.
        if (entry.outcome === 'kept') open = others;
        if (entry.outcome !== 'done' && entry.outcome !== 'nothing') break;
        // A node has one cordon, whichever rungs of this incident wanted it.
        open = own.some(isCordon) ? others.filter((change) => !isCordon(change)) : others;
        break;
    }
  }
  return open;
}

/** The change that an undo takes back first: one of the present rung. What an earlier rung keeps standing may still be wanted. */
export function changeToUndo(
  entries: AuditEntry[],
  rung: number,
  treatment?: string,
): OpenChange | undefined {
  const changes = openChanges(entries);
  return (
    changes.find((change) => isOf(change, treatment, rung)) ?? changes.find((change) => !isCordon(change))
  );
}

/** Cordons of an incident that may still stand. */
export function openCordons(entries: AuditEntry[]): (OpenChange & { undo: Uncordon })[] {
  return openChanges(entries).filter(isCordon);
}

/** Whether a cordon of this incident stands, also one that was left to a person. */
export function leavesCordoned(entries: AuditEntry[]): boolean {
  return openCordons(entries).length > 0 || entries.some(({ details }) => details?.cordonKept === true);
}

function isCordon(change: OpenChange): change is OpenChange & { undo: Uncordon } {
  return 'uncordon' in change.undo;
}

/**
 * Whether a change is of this rung. The plan is made anew after a wait and a void approval, and then another treatment may be at
 * that place of the ladder: it must not end what stands of the one before.
 */
function isOf(change: OpenChange, treatment: string | undefined, rung: number): boolean {
  return change.rung === rung && (treatment === undefined || change.treatment === treatment);
}

function undoOf(entry: AuditEntry): OpenChange['undo'] | undefined {
  const undo = (entry.details?.undo ?? {}) as Partial<UndoDocument & Uncordon>;
  if (typeof undo.uncordon?.node === 'string') return { uncordon: { node: undo.uncordon.node } };
  return typeof undo.document === 'string' ? (undo as UndoDocument) : undefined;
}
