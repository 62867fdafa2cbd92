import type { LeftOut } from './treatments/treatment.ts';

/** For people: which treatments of the cause the ladder leaves out, and why; no line where it leaves out none. */
export function leftOutLines(leftOut: readonly LeftOut[]): string[] {
  if (leftOut.length === 0) return [];
  return ['Not on the ladder:', ...leftOut.map(({ treatment, reason }) => `  ${treatment}: ${reason}`)];
}
