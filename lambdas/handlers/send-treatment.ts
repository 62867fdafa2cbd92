import { MedicError } from '../adapters/medic-error.ts';
import { ssm } from '../adapters/ssm.ts';
import { sendCommand } from '../adapters/ssm-commands.ts';
import { DocumentChangedError } from '../adapters/ssm-documents.ts';
import type { AuditEntry } from '../domain/audit/entry.ts';
import type { Command, IncidentState } from '../domain/incident-state.ts';
import { actorOf } from './allowed-by.ts';
import { keepPlace } from './budget.ts';
import { pinnedDocument } from './documents.ts';
import { LeaseLostError, phase } from './phase.ts';

/** Time for the service to tell us that a document is at its end, beyond the longest that it may run. */
const graceSeconds = 60;

/**
 * Sends the treatment of the present rung. The intent is written before the act: whatever happens in between, the
 * trail says what may stand on the node and how it is undone.
 */
export const handler = phase('send-treatment', async (state, context) => {
  const { settings, audit, now, renewFor, trail } = context;
  const { rung } = state;
  if (rung?.document === undefined) throw new MedicError('the present rung has no document to send');
  if (isBegun(await trail.entries(state.incident.id), state.ladder.index)) {
    // An earlier attempt of this function wrote the intent and died. It may have sent the command; sending it again
    // would run it twice, so it counts as failed half-way and is undone.
    return unknown(state, 'an earlier attempt may have sent it; it is not sent twice');
  }
  const document = await pinnedDocument(rung.document).catch((error: unknown) => {
    if (error instanceof DocumentChangedError) return error;
    throw error;
  });
  if (document instanceof DocumentChangedError) return refused(state, document.message);
  if (!(await keepPlace(state, context))) {
    return refused(state, 'its place in the budget of the cluster has expired, and others may have taken it');
  }

  const { id, instanceId } = state.incident;
  const identity = { incident: id, fencing: String(state.lease.fencing), dryRun: 'false' };
  const args = {
    ...rung.arguments,
    ...identity,
    ...(rung.namesItsApproval ? { approval: allowedBy(state) } : {}),
  };
  const subject = {
    rung: state.ladder.index,
    treatment: rung.treatment,
    arguments: args,
    document: rung.document,
    documentDigest: document.contentDigest,
  };
  const intent = await audit({
    step: 'treatment.intended',
    actor: actorOf(state),
    what: `${rung.treatment} is about to be sent to ${instanceId}: ${rung.reason}`,
    ...subject,
    ...(state.before === undefined ? {} : { before: { ...state.before } }),
    ...(rung.undoDocument === undefined
      ? {}
      : {
          details: {
            undo: { document: rung.undoDocument, arguments: { incident: id, dryRun: 'false' } },
            standing: rung.standing,
          },
        }),
  });
  if (intent.existed)
    return unknown(state, 'another attempt is sending it at this moment; it is not sent twice');
  // The last look before the act: whoever took the node over meanwhile has moved the fencing number.
  const renewal = await renewFor(settings.lease.seconds);
  if (renewal.status !== 'ours')
    throw new LeaseLostError(`the lease of ${instanceId} was lost before ${rung.treatment}`);
  const commandId = await sendCommand(ssm(), {
    document,
    instanceId,
    arguments: args,
    deliverySeconds: settings.command.deliverySeconds,
    comment: `cgroup-medic ${id}`,
  });
  await audit({
    step: 'treatment.sent',
    actor: { kind: 'rule', id: 'treat' },
    what: `${rung.treatment} was sent to ${instanceId} as command ${commandId}`,
    ...subject,
    details: { commandId, documentVersion: document.version },
  });
  const sentAt = now();
  const seconds = settings.command.deliverySeconds + document.timeoutSeconds + graceSeconds;
  return {
    ...state,
    command: {
      status: 'running',
      document: rung.document,
      commandId,
      arguments: args,
      documentDigest: document.contentDigest,
      sentAt: sentAt.toISOString(),
      deadline: new Date(sentAt.getTime() + seconds * 1000).toISOString(),
      waitSeconds: settings.command.pollSeconds,
    },
  };
});

/** Whether the trail has an intent of this rung without an end. */
function isBegun(entries: AuditEntry[], rung: number): boolean {
  const last = (step: AuditEntry['step']): number =>
    entries.findLast((entry) => entry.step === step && entry.rung === rung)?.seq ?? -1;
  return last('treatment.intended') > last('treatment.finished');
}

/** The approval, or the rule that did without one. */
function allowedBy({ approval, rung }: IncidentState): string {
  return approval?.decision === 'approved' ? approval.id : `policy:${rung?.risk}`;
}

function refused(state: IncidentState, reason: string): IncidentState {
  const command: Command = { status: 'refused', waitSeconds: 0, reason };
  return { ...state, command };
}

function unknown(state: IncidentState, reason: string): IncidentState {
  const command: Command = { status: 'failed', waitSeconds: 0, reason };
  return { ...state, command };
}
