import { MedicError } from '../adapters/medic-error.ts';

/** What went wrong, for a reason that people read. A refusal of AWS names the action that is missing; the name of its error says what kind it is. */
export function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, 400);
  return (error instanceof MedicError ? error.message : `${error.name}: ${error.message}`).slice(0, 400);
}
