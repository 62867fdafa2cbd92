import { ssm } from '../adapters/ssm.ts';
import { cancelCommand, sendCommand } from '../adapters/ssm-commands.ts';
import type { AuditDraft } from '../domain/audit/entry.ts';
import type { OpenChange, UndoDocument } from '../domain/audit/open-changes.ts';
import { pinnedDocument } from './documents.ts';

type Sent = { commandId: string; documentDigest: string; timeoutSeconds: number };

/**
 * Ends the treatment's own command, then sends its undo. Used by the phase and by the janitor, with the same trail.
 *
 * @param onError for a cancel that failed: the command may have ended long ago, so the undo goes on
 */
export async function sendUndo(
  change: OpenChange & { undo: UndoDocument },
  target: { incident: string; instanceId: string; deliverySeconds: number },
  audit: (draft: AuditDraft) => Promise<unknown>,
  actor: AuditDraft['actor'],
  onError: (error: unknown) => void,
): Promise<Sent> {
  const { undo } = change;
  const document = await pinnedDocument(undo.document);
  const subject = {
    rung: change.rung,
    treatment: change.treatment,
    document: undo.document,
    documentDigest: document.contentDigest,
    arguments: undo.arguments,
  };
  await audit({
    step: 'undo.intended',
    actor,
    what: `${change.treatment} may still stand on ${target.instanceId}; ${undo.document} is about to be sent`,
    ...subject,
  });
  if (change.commandId !== undefined) {
    await cancelCommand(ssm(), change.commandId, target.instanceId).catch(onError);
  }
  const commandId = await sendCommand(ssm(), {
    document,
    instanceId: target.instanceId,
    arguments: undo.arguments,
    deliverySeconds: target.deliverySeconds,
    comment: `cgroup-medic ${target.incident} undo`,
  });
  await audit({
    step: 'undo.sent',
    actor,
    what: `${undo.document} was sent to ${target.instanceId} as command ${commandId}`,
    ...subject,
    details: { commandId, documentVersion: document.version },
  });
  return { commandId, documentDigest: document.contentDigest, timeoutSeconds: document.timeoutSeconds };
}
