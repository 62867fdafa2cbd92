import { checkHost, cleanUpOldLeaks } from '../local/node/host-leak.ts';
import { cleanUpOldBenches } from './bench-place.ts';
import { describeMachine } from './describe-machine.ts';
import { evidenceAgainstFind } from './evidence-against-find.ts';
import { incidentByPhase } from './incident-by-phase.ts';
import { reclaimAgainstDropCaches } from './reclaim-against-drop-caches.ts';
import { stopOnSignals } from './stop-on-signals.ts';
import { markdown, meetsBars, type Table } from './table.ts';

/**
 * Reclaim against drop_caches, evidence against find, and one incident by phase: on this machine, in one run.
 * It drops the caches of the host, so it is for a machine that is nobody's production.
 *
 * @returns 0 when every bar was met
 */
export async function spine(args: string[]): Promise<number> {
  if (args.length > 0) {
    process.stderr.write(`this bench takes no arguments, not ${args.join(' ')}\n`);
    return 2;
  }
  const host = checkHost();
  if (!host.possible) {
    process.stderr.write(`this bench needs a real memory hierarchy: ${host.missing}\n`);
    return 1;
  }
  await cleanUpOldLeaks();
  await cleanUpOldBenches();
  process.stdout.write(`${describeMachine()}\n\n`);
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const tools = { say, signal: stopOnSignals() };
  const met: boolean[] = [];
  for (const measure of [
    () => reclaimAgainstDropCaches(tools),
    () => evidenceAgainstFind(tools),
    () => incidentByPhase(say),
  ] satisfies (() => Promise<Table>)[]) {
    const table = await measure();
    process.stdout.write(`${markdown(table)}\n`);
    met.push(meetsBars(table));
  }
  return met.every(Boolean) ? 0 : 1;
}
