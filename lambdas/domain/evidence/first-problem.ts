import type * as z from 'zod';
import { printable } from '../printable.ts';

const longestValue = 60;
const longestProblem = 400;

/** The path of the first field that does not fit, what is wrong with it, and what is there: in one short, printable line. */
export function firstProblem(error: z.ZodError, input: unknown): string {
  const [issue, ...others] = error.issues;
  if (issue === undefined) return 'unknown problem';
  const path = issue.path.length > 0 ? issue.path.join('.') : 'the top level';
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  const problem = `${path}: ${issue.message}, and it is ${shown(valueAt(input, issue.path))}`;
  return `${printable(problem).replace(/\s+/g, ' ').slice(0, longestProblem)}${more}`;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? value[key as keyof typeof value]
        : undefined,
    input,
  );
}

function shown(value: unknown): string {
  if (value === undefined) return 'not there';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value);
  return text.length > longestValue ? `${text.slice(0, longestValue)}… (${text.length} characters)` : text;
}
