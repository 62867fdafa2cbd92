import { openChanges } from '../domain/audit/open-changes.ts';
import type { Command } from '../domain/incident-state.ts';
import { phase } from './phase.ts';
import { sendUndo } from './undo-command.ts';

/**
 * Undoes what the trail says may still stand on the node. Every error of the workflow comes here as well, so it must
 * work on half a state, and without the lease: it only takes back what this incident itself changed.
 */
export const handler = phase(
  'send-undo',
  async (state, { trail, settings, audit, logger, now }) => {
    const { id, instanceId } = state.incident;
    const [change] = openChanges(await trail.entries(id));
    if (change === undefined) {
      const command: Command = {
        status: 'not-needed',
        waitSeconds: 0,
        reason: 'nothing of ours stands on the node',
      };
      return { ...state, command };
    }
    const { deliverySeconds, pollSeconds } = settings.command;
    const target = { incident: id, instanceId, deliverySeconds };
    const sent = await sendUndo(change, target, audit, { kind: 'rule', id: 'undo' }, (error) => {
      logger.warn('the treatment could not be cancelled', { error });
    });
    const sentAt = now();
    const deadline = sentAt.getTime() + (deliverySeconds + sent.timeoutSeconds) * 1000;
    return {
      ...state,
      command: {
        status: 'running',
        document: change.undo.document,
        commandId: sent.commandId,
        arguments: change.undo.arguments,
        documentDigest: sent.documentDigest,
        sentAt: sentAt.toISOString(),
        deadline: new Date(deadline).toISOString(),
        waitSeconds: pollSeconds,
      },
    };
  },
  { cleansUp: true },
);
