import { quoted, type StandingChange } from '../lambdas/domain/standing-changes.ts';

/** The command that takes a standing change back on the node of a local run, and where it can be run. */
export function undoHere({ undo }: StandingChange, node: { lasts: boolean }): string {
  const parameters = Object.entries(undo.arguments).map(
    ([key, value]) => `--param ${quoted(`${key}=${value}`)}`,
  );
  const command = ['npm run document --', undo.document, ...parameters].join(' ');
  return node.lasts
    ? command
    : `${command}\n(as root on the node, with this repository; the node of this run is gone by now, and the change with it)`;
}
