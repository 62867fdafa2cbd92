import type { RungResult } from './incident-state.ts';
import type { Arguments } from './treatments/treatment.ts';

/** Something that an incident leaves on the node on purpose, and the document that takes it back. */
export type StandingChange = { treatment: string; undo: { document: string; arguments: Arguments } };

/** What helped by a change that stays. A change that was undone, or that nobody saw to help, is none. */
export function standingChanges(results: readonly RungResult[]): StandingChange[] {
  // What stood on a node that was replaced has gone with it.
  if (results.some(({ treatment, verification }) => treatment === 'replace-node' && verification?.cured))
    return [];
  return results.flatMap(({ treatment, result, verification, undo }) => {
    const helped = verification?.verdict === 'cured' || verification?.verdict === 'relieved';
    return result?.undo !== undefined && helped && undo === undefined
      ? [{ treatment, undo: result.undo }]
      : [];
  });
}

/** For people: what stays, and the command that takes it back, on a line of its own to be pasted. */
export function standingSentence({ treatment }: StandingChange, command: string): string {
  return `${treatment} stays on the node. This takes it back:\n${command}`;
}

/**
 * The command that runs the undo of a standing change on its node, for a POSIX shell.
 *
 * @param name the name of the document in the account
 */
export function undoByAwsCli({ undo }: StandingChange, name: string, instanceId: string): string {
  const parameters = Object.fromEntries(Object.entries(undo.arguments).map(([key, value]) => [key, [value]]));
  return `aws ssm send-command --instance-ids ${quoted(instanceId)} --document-name ${quoted(name)} --parameters ${quoted(JSON.stringify(parameters))}`;
}

/** One word of a POSIX shell. */
export function quoted(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
