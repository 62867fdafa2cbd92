import { changeToUndo } from '../domain/audit/open-changes.ts';
import type { Command } from '../domain/incident-state.ts';
import { phase } from './phase.ts';
import { uncordon } from './uncordon.ts';
import { sendUndo } from './undo-command.ts';

/**
 * Undoes what the trail says may still stand on the node. Every error of the workflow comes here as well, so it must
 * work on half a state, and without the lease: it only takes back what this incident itself changed.
 */
export const handler = phase(
  'send-undo',
  async (state, { trail, settings, audit, logger, now }) => {
    const { id, cluster, instanceId } = state.incident;
    const change = changeToUndo(await trail.entries(id), state.ladder.index, state.rung?.treatment);
    if (change === undefined) {
      const command: Command = {
        status: 'not-needed',
        waitSeconds: 0,
        reason: 'nothing of ours stands on the node',
      };
      return { ...state, command };
    }
    const { undo } = change;
    const actor = { kind: 'rule', id: 'undo' } as const;
    if ('uncordon' in undo) {
      const undone = await uncordon({ ...change, undo }, { incident: id, cluster, instanceId }, audit, actor);
      const status = undone.status === 'failed' ? 'failed' : 'succeeded';
      return { ...state, command: { status, waitSeconds: 0, undone } };
    }
    const { deliverySeconds, pollSeconds } = settings.command;
    const target = { incident: id, instanceId, deliverySeconds };
    const sent = await sendUndo({ ...change, undo }, target, audit, actor, (error) => {
      logger.warn('the treatment could not be cancelled', { error });
    });
    const sentAt = now();
    const deadline = sentAt.getTime() + (deliverySeconds + sent.timeoutSeconds) * 1000;
    return {
      ...state,
      command: {
        status: 'running',
        document: undo.document,
        commandId: sent.commandId,
        arguments: undo.arguments,
        documentDigest: sent.documentDigest,
        sentAt: sentAt.toISOString(),
        deadline: new Date(deadline).toISOString(),
        waitSeconds: pollSeconds,
      },
    };
  },
  { cleansUp: true },
);
