import type { RungResult } from './incident-state.ts';
import type { Arguments } from './treatments/treatment.ts';

/** Something that an incident leaves on the node on purpose, and the document that takes it back. */
export type StandingChange = { treatment: string; undo: { document: string; arguments: Arguments } };

/** What helped by a change that stays. A change that was undone, or that nobody saw to help, is none. */
export function standingChanges(results: readonly RungResult[]): StandingChange[] {
  return results.flatMap(({ treatment, result, verification, undo }) => {
    const helped = verification?.verdict === 'cured' || verification?.verdict === 'relieved';
    return result?.undo !== undefined && helped && undo === undefined
      ? [{ treatment, undo: result.undo }]
      : [];
  });
}

/** For people: what stays, and how it is taken back. */
export function standingSentence({ treatment, undo }: StandingChange): string {
  const args = Object.entries(undo.arguments).map(([name, value]) => `${name}=${value}`);
  return `${treatment} stays on the node. The SSM document ${undo.document} takes it back: ${args.join(' ')}`;
}
