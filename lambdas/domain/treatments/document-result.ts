import * as z from 'zod';
import { printable } from '../printable.ts';
import { Arguments } from './treatment.ts';

/** What every treatment document prints: one JSON object. Figures of the one treatment travel as further fields. */
export const DocumentResult = z.looseObject({
  version: z.literal(1),
  document: z.string(),
  changed: z.boolean(),
  before: z.record(z.string(), z.unknown()).default({}),
  after: z.record(z.string(), z.unknown()).default({}),
  undo: z.object({ document: z.string(), parameters: Arguments }).nullable().default(null),
});
export type DocumentResult = z.infer<typeof DocumentResult>;

/** What a document prints that did nothing, and says why. */
export const DocumentRefusal = z.looseObject({
  version: z.literal(1),
  document: z.string(),
  error: z.string(),
});
export type DocumentRefusal = z.infer<typeof DocumentRefusal>;

export type ReadResult =
  | { kind: 'result'; result: DocumentResult }
  | { kind: 'refusal'; reason: string }
  | { kind: 'unreadable'; reason: string };

/** Reads the output of a treatment document. What cannot be read is not a success: the node may be half changed. */
export function readDocumentResult(output: string | undefined): ReadResult {
  let json: unknown;
  try {
    json = JSON.parse(output ?? '');
  } catch {
    return { kind: 'unreadable', reason: 'the document did not print a JSON result' };
  }
  const refusal = DocumentRefusal.safeParse(json);
  // With a result beside it the error tells what went wrong after something was done.
  if (refusal.success && refusal.data.changed === undefined)
    return { kind: 'refusal', reason: printable(refusal.data.error).slice(0, 500) };
  const result = DocumentResult.safeParse(json);
  if (result.success) return { kind: 'result', result: result.data };
  const issue = result.error.issues[0];
  return {
    kind: 'unreadable',
    reason: `the document's result does not fit: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
  };
}
