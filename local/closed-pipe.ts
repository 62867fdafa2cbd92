import { constants } from 'node:os';

/**
 * For commands that print at their end: a reader that has seen enough ("| head") closes the pipe, and that is no fault to
 * show a stack for. Ends with the code that a shell gives a process ended by SIGPIPE.
 */
export function endQuietlyWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exitCode = 128 + constants.signals.SIGPIPE;
    });
  }
}
