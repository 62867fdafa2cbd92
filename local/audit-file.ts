import { readFileSync } from 'node:fs';
import { printable } from '../lambdas/domain/printable.ts';

/** Raised for a file that cannot be read as an audit trail; the message says what is wrong with it. */
export class AuditFileError extends Error {
  override readonly name = 'AuditFileError';
}

/** The lines of an audit file, each parsed; empty lines at the end do not count. */
export function readAuditFile(file: string): unknown[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new AuditFileError(
      `cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (text.trim() === '') throw new AuditFileError(`${file} is empty: an audit trail has at least one entry`);
  return text
    .trimEnd()
    .split('\n')
    .map((line, index) => {
      try {
        return JSON.parse(line);
      } catch {
        throw new AuditFileError(
          `${file}, line ${index + 1} is not JSON: ${printable(line).slice(0, 80)} … The file was cut off or changed, or it is no audit trail`,
        );
      }
    });
}

/**
 * Delivered lines in the order in which they were written. Two functions that write at the same time can deliver in
 * another order, and deliver a line twice; so can the service itself. A line that differs from its twin stays, and breaks
 * the trail.
 */
export function inOrder(lines: readonly string[]): string[] {
  // The signed head carries the number of the last entry and follows it.
  const position = (line: string): number => {
    const { seq, kind } = JSON.parse(line);
    return kind === 'signed-head' ? seq + 0.5 : seq;
  };
  return [...new Set(lines)].sort((a, b) => position(a) - position(b));
}
