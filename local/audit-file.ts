import { readFileSync } from 'node:fs';
import { printable } from '../lambdas/domain/printable.ts';

/** Raised for a file that cannot be read as an audit trail; the message says what is wrong with it. */
export class AuditFileError extends Error {
  override readonly name = 'AuditFileError';
}

export function emptyFile(file: string): string {
  return `${file} is empty: an audit trail has at least one entry`;
}

export function notJson(file: string, line: number, text: string): string {
  return `${file}, line ${line} is not JSON: ${printable(text).slice(0, 80)} … The file was cut off or changed, or it is no audit trail`;
}

/** The lines of an audit file, as they are; empty lines at the end do not count. */
export function readAuditFile(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new AuditFileError(
      `cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (text.trim() === '') throw new AuditFileError(emptyFile(file));
  return text.replace(/\n+$/, '').split('\n');
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
