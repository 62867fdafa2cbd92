import type * as z from 'zod';
import { printable } from '../printable.ts';
import { Evidence } from './evidence.ts';

/** Characters of unreadable output kept for the audit: enough to recognise what the node printed, too few to flood it. */
const rawHeadLength = 500;

export type ReadEvidence = { ok: true; evidence: Evidence } | { ok: false; error: string; rawHead: string };

/**
 * Reads the output of `collect-evidence`. Anything else than one valid evidence object is an error with the path of
 * the first wrong field; it never becomes evidence of health.
 */
export function readEvidence(output: string): ReadEvidence {
  const rawHead = printable(output).slice(0, rawHeadLength);
  let json: unknown;
  try {
    json = JSON.parse(output);
  } catch {
    const shape = output.trim() === '' ? 'is empty' : 'is not JSON';
    return { ok: false, error: `the evidence ${shape} (${output.length} characters)`, rawHead };
  }
  if (!isFromDocument(json)) {
    const error =
      'this is JSON, but not what collect-evidence prints: it has no "document": "collect-evidence"';
    return { ok: false, error, rawHead };
  }
  const parsed = Evidence.safeParse(json);
  if (parsed.success) return { ok: true, evidence: parsed.data };
  return { ok: false, error: `the evidence does not fit its schema: ${firstProblem(parsed.error)}`, rawHead };
}

function isFromDocument(json: unknown): boolean {
  return (
    typeof json === 'object' && json !== null && 'document' in json && json.document === 'collect-evidence'
  );
}

function firstProblem(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return 'unknown problem';
  const path = issue.path.length > 0 ? issue.path.join('.') : 'the top level';
  return `${path}: ${issue.message}`;
}
