import { type ParseArgsConfig, parseArgs } from 'node:util';
import { printable } from '../lambdas/domain/printable.ts';
import { endQuietlyWithReader } from './closed-pipe.ts';

/** What somebody has typed is not what the command takes. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The arguments of a command. @throws UsageError */
export function argumentsFor<const T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Runs a command that prints one text. Wrong usage ends with 2 and the usage; an error that is for the reader with the code that it
 * stands for; any other is thrown, as it is a fault of ours.
 *
 * @param codeOf the exit code of an error that is for the reader; `undefined` for any other
 */
export async function runCommand(
  usage: string,
  main: (args: string[]) => Promise<string>,
  codeOf: (error: unknown) => number | undefined,
): Promise<void> {
  endQuietlyWithReader();
  try {
    process.stdout.write(`${await main(process.argv.slice(2))}\n`);
  } catch (error) {
    const isUsage = error instanceof UsageError;
    const code = isUsage ? 2 : codeOf(error);
    if (!(error instanceof Error) || code === undefined) throw error;
    process.stderr.write(`${printable(error.message)}\n${isUsage ? `\n${usage}\n` : ''}`);
    process.exitCode = code;
  }
}
