import { ssm } from '../adapters/ssm.ts';
import { cancelCommand, type Invocation, lookAtCommand } from '../adapters/ssm-commands.ts';
import type { OneCommand } from '../domain/incident-state.ts';
import { nextPollSeconds } from '../domain/polling.ts';
import { phase } from './phase.ts';

/**
 * Looks at the running command, and at the one that was sent with it. Past the deadline, what still runs is cancelled
 * and counts as unanswered.
 */
export const handler = phase(
  'poll-command',
  async (state, { settings, now, logger }) => {
    const { command } = state;
    if (command?.commandId === undefined || command.status !== 'running') return state;
    const { instanceId } = state.incident;
    const { companion } = command;
    const [main, beside] = await Promise.all([look(command, instanceId), look(companion, instanceId)]);
    const over = main?.status !== 'running' && beside?.status !== 'running';
    const late = command.deadline !== undefined && now() >= new Date(command.deadline);
    if (!over && !late) {
      // What is over already is asked for again: the service keeps it.
      const waitSeconds = nextPollSeconds(settings.command, command.waitSeconds);
      return { ...state, command: { ...command, waitSeconds } };
    }
    const ended = async (one: OneCommand, seen: Invocation | undefined): Promise<OneCommand> => {
      if (seen === undefined || seen.status !== 'running') return { ...one, ...seen };
      await cancelCommand(ssm(), one.commandId ?? '', instanceId).catch((error: unknown) => {
        logger.warn('a command past its deadline could not be cancelled', {
          error,
          commandId: one.commandId,
        });
      });
      const reason = `the node did not answer ${one.document ?? 'the command'} by ${command.deadline}`;
      return { ...one, status: 'no-answer', reason };
    };
    const { companion: _, ...one } = command;
    return {
      ...state,
      command: {
        ...(await ended(one, main)),
        ...(companion === undefined ? {} : { companion: await ended(companion, beside) }),
      },
    };
  },
  // A command that runs is watched to its end, whoever holds the lease: its undo may depend on it.
  { needsLease: false },
);

/** How a command stands; nothing for one that was never sent. */
function look(command: OneCommand | undefined, instanceId: string): Promise<Invocation | undefined> {
  return command?.commandId === undefined
    ? Promise.resolve(undefined)
    : lookAtCommand(ssm(), command.commandId, instanceId);
}
