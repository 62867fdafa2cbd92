import { quoted } from '../standing-changes.ts';

/** The command by which people end a standing treatment, for a POSIX shell. */
export function endCommand(cluster: string, nodeGroup: string, treatment: string): string {
  const which = treatment === 'standing-reclaim' ? '' : ` --treatment ${quoted(treatment)}`;
  return `npm run standing -- end ${cluster} ${quoted(nodeGroup)}${which} --reason …`;
}
