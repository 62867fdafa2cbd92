import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { ExportLine } from '../lambdas/domain/audit/verify-export.ts';
import { printable } from '../lambdas/domain/printable.ts';
import { AuditFileError } from './audit-file.ts';

/** An export task leaves this in the bucket to see whether it may write there. */
const writeTest = 'aws-logs-write-test';

/**
 * What export tasks and `aws logs tail` put before each line: the time, and the stream in the detailed form of the latter.
 * Sources: the CloudWatch Logs user guide, "Export log data to Amazon S3"; the AWS CLI reference, `logs tail`.
 */
const prefix = /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)?(?: [^ {"]+)? (?=\{)/;

/**
 * The lines of files and folders that CloudWatch Logs gave away, whatever way they came: plain lines, those of an export task
 * (gzip, a folder for each stream), the answers of `filter-log-events`, `get-log-events` and `get-query-results`, and
 * what a subscription delivers.
 *
 * @throws AuditFileError where a file cannot be read, or says itself that it is not the whole answer
 */
export function readExport(paths: readonly string[]): ExportLine[] {
  return paths.flatMap(filesBelow).flatMap(readExportFile);
}

/** Whether a path is one of these, or lies in a folder among them. */
export function isInside(path: string, paths: readonly string[]): boolean {
  const real = realpathSync(path);
  return paths.map((one) => realpathSync(one)).some((one) => real === one || real.startsWith(one + sep));
}

function filesBelow(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile() && entry.name !== writeTest)
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  } catch (error) {
    throw unreadable(path, error);
  }
}

function readExportFile(file: string): ExportLine[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = gunzipSync(bytes);
  } catch (error) {
    throw unreadable(file, error);
  }
  const text = bytes.toString('utf8');
  const whole = parsed(text);
  if (whole !== undefined && isAnswer(whole)) {
    return messagesOf(whole, file).map((message, index) => ({ text: message, file, line: index + 1 }));
  }
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const message = line.replace(prefix, '');
    const value = parsed(message);
    const messages = value !== undefined && isAnswer(value) ? messagesOf(value, file) : [message];
    return messages.map((one) => ({ text: one, file, line: index + 1 }));
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Something around audit lines, and none itself. */
function isAnswer(value: unknown): boolean {
  if (Array.isArray(value)) return true;
  const fields = Object(value) as Record<string, unknown>;
  return (
    ['events', 'logEvents', 'results'].some((name) => Array.isArray(fields[name])) &&
    fields.hash === undefined
  );
}

function messagesOf(answer: unknown, file: string): string[] {
  if (Array.isArray(answer)) return answer.flatMap((one) => messageOf(one, file));
  const { events, logEvents, results, ...rest } = answer as Record<string, unknown[]> &
    Record<string, unknown>;
  requireWhole(rest, results, file);
  return (results ?? events ?? logEvents ?? []).flatMap((one) => messageOf(one, file));
}

/** One event, one row of a query, or a line by itself. */
function messageOf(one: unknown, file: string): string[] {
  if (typeof one === 'string') return [one];
  if (Array.isArray(one)) {
    const cells = one as { field?: unknown; value?: unknown }[];
    const cell = cells.find(({ field }) => field === '@message');
    if (typeof cell?.value !== 'string') {
      throw new AuditFileError(
        `${file} is the answer to a query that did not ask for @message: begin it with "fields @message"`,
      );
    }
    return [cell.value];
  }
  const fields = Object(one) as Record<string, unknown>;
  const message = fields.message ?? fields['@message'] ?? one;
  return [typeof message === 'string' ? message : JSON.stringify(message)];
}

function requireWhole(rest: Record<string, unknown>, results: unknown[] | undefined, file: string): void {
  const incomplete = (why: string): AuditFileError =>
    new AuditFileError(`${file} is not the whole answer: ${why}`);
  const token = rest.nextToken ?? rest.NextToken;
  if (typeof token === 'string')
    throw incomplete('it names a next page; ask without --max-items and --no-paginate');
  if (results === undefined) return;
  if (rest.status !== undefined && rest.status !== 'Complete')
    throw incomplete(
      `the query is ${printable(String(rest.status))}; ask for its results again when it is Complete`,
    );
  const { recordsMatched } = Object(rest.statistics) as { recordsMatched?: unknown };
  if (typeof recordsMatched === 'number' && recordsMatched > results.length)
    throw incomplete(
      `it has ${results.length} of ${recordsMatched} lines; a query gives 10,000 at most, so ask for a shorter time`,
    );
}

function unreadable(path: string, error: unknown): AuditFileError {
  return new AuditFileError(`cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
}
