import { ssm } from '../adapters/ssm.ts';
import { cancelCommand, lookAtCommand } from '../adapters/ssm-commands.ts';
import type { Command } from '../domain/incident-state.ts';
import { phase } from './phase.ts';

/** Looks at the running command; past its deadline it is cancelled and counts as unanswered. */
export const handler = phase(
  'poll-command',
  async (state, { settings, now, logger }) => {
    const { command } = state;
    if (command?.commandId === undefined || command.status !== 'running') return state;
    const { instanceId } = state.incident;
    const invocation = await lookAtCommand(ssm(), command.commandId, instanceId);
    if (invocation.status !== 'running') return { ...state, command: { ...command, ...invocation } };

    if (command.deadline !== undefined && now() >= new Date(command.deadline)) {
      await cancelCommand(ssm(), command.commandId, instanceId).catch((error: unknown) => {
        logger.warn('a command past its deadline could not be cancelled', {
          error,
          commandId: command.commandId,
        });
      });
      const reason = `the node did not answer ${command.document ?? 'the command'} by ${command.deadline}`;
      const unanswered: Command = { ...command, status: 'no-answer', reason };
      return { ...state, command: unanswered };
    }
    const waitSeconds = Math.min(settings.command.maxPollSeconds, command.waitSeconds * 2);
    return { ...state, command: { ...command, waitSeconds } };
  },
  // A command that runs is watched to its end, whoever holds the lease: its undo may depend on it.
  { needsLease: false },
);
