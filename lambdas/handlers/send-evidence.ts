import { ssm } from '../adapters/ssm.ts';
import { NodeUnreachableError, sendCommand } from '../adapters/ssm-commands.ts';
import { pinnedDocument } from './documents.ts';
import { phase } from './phase.ts';

/** The look before a decision reads everything; the looks after a treatment what they compare, which is mostly the quick part. */
const windowSeconds = { full: '1', quick: '0' };

/** Sends `collect-evidence` to the node: for the examination, after an approval, and for each look of a verification. */
export const handler = phase('send-evidence', async (state, { settings, audit, now }) => {
  const document = await pinnedDocument('collect-evidence');
  const counted = state.rung?.expects.signal ?? 'dying';
  const profile = state.treatment === undefined || counted !== 'dying' ? 'full' : 'quick';
  const args = { profile, windowSeconds: windowSeconds[profile] };
  const sent = await sendCommand(ssm(), {
    document,
    instanceId: state.incident.instanceId,
    arguments: args,
    deliverySeconds: settings.command.deliverySeconds,
    comment: `cgroup-medic ${state.incident.id}`,
  }).catch((error: unknown) => {
    if (error instanceof NodeUnreachableError) return error;
    throw error;
  });
  // A node that cannot be asked is a gap in the evidence, not a broken workflow.
  if (sent instanceof NodeUnreachableError) {
    return { ...state, command: { status: 'no-answer', waitSeconds: 0, reason: sent.message } };
  }
  const commandId = sent;
  await audit({
    step: 'examination.sent',
    actor: { kind: 'rule', id: 'examine' },
    what: `collect-evidence (${profile}) was sent to the node as command ${commandId}`,
    document: 'collect-evidence',
    documentDigest: document.contentDigest,
    arguments: args,
    details: { commandId, documentVersion: document.version },
  });
  const sentAt = now();
  return {
    ...state,
    command: {
      status: 'running',
      document: 'collect-evidence',
      commandId,
      arguments: args,
      documentDigest: document.contentDigest,
      sentAt: sentAt.toISOString(),
      deadline: new Date(sentAt.getTime() + settings.command.evidenceSeconds * 1000).toISOString(),
      waitSeconds: settings.command.pollSeconds,
    },
  };
});
