import { ssm } from '../adapters/ssm.ts';
import { NodeUnreachableError, sendCommand } from '../adapters/ssm-commands.ts';
import type { OneCommand } from '../domain/incident-state.ts';
import { type Look, lookAt } from '../domain/verification/looks.ts';
import { pinnedDocument } from './documents.ts';
import { type PhaseContext, phase } from './phase.ts';

/**
 * Sends `collect-evidence` to the node: for the examination, after an approval, and for each look of a verification.
 * Before a decision it reads everything, with `collect-services` sent at the same time: together they would not fit into
 * one document. The looks after a treatment ask for what they compare.
 */
export const handler = phase('send-evidence', async (state, context) => {
  const { treatment, verification, rung } = state;
  const { id, instanceId } = state.incident;
  const { cluster } = context;
  const { profile, windowSeconds, services }: Look =
    treatment === undefined
      ? { profile: 'full', windowSeconds: String(cluster.examination.windowSeconds), services: true }
      : lookAt(verification?.samples.length ?? 0, rung?.expects.signal ?? 'dying', cluster);
  const send = (name: string, args: Record<string, string>) =>
    sendOne(name, args, { id, instanceId }, context);
  const command = await send('collect-evidence', { profile, windowSeconds });
  if (!services || command.status !== 'running') return { ...state, command };
  return { ...state, command: { ...command, companion: await send('collect-services', {}) } };
});

async function sendOne(
  name: string,
  args: Record<string, string>,
  { id, instanceId }: { id: string; instanceId: string },
  { settings, audit, now }: PhaseContext,
): Promise<OneCommand> {
  const document = await pinnedDocument(name);
  const sent = await sendCommand(ssm(), {
    document,
    instanceId,
    arguments: args,
    deliverySeconds: settings.command.deliverySeconds,
    comment: `cgroup-medic ${id}`,
  }).catch((error: unknown) => {
    if (error instanceof NodeUnreachableError) return error;
    throw error;
  });
  // A node that cannot be asked is a gap in the evidence, not a broken workflow.
  if (sent instanceof NodeUnreachableError)
    return { status: 'no-answer', waitSeconds: 0, reason: sent.message };
  await audit({
    step: 'examination.sent',
    actor: { kind: 'rule', id: 'examine' },
    what: `${[name, args.profile].filter(Boolean).join(' ')} was sent to the node as command ${sent}`,
    document: name,
    documentDigest: document.contentDigest,
    arguments: args,
    details: { commandId: sent, documentVersion: document.version },
  });
  const sentAt = now();
  return {
    status: 'running',
    document: name,
    commandId: sent,
    arguments: args,
    documentDigest: document.contentDigest,
    sentAt: sentAt.toISOString(),
    deadline: new Date(sentAt.getTime() + settings.command.evidenceSeconds * 1000).toISOString(),
    waitSeconds: settings.command.pollSeconds,
  };
}
