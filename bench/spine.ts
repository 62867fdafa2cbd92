import { cpus, release } from 'node:os';
import { checkHost, cleanUpOldLeaks } from '../local/node/host-leak.ts';
import { evidenceAgainstFind } from './evidence-against-find.ts';
import { incidentByPhase } from './incident-by-phase.ts';
import { reclaimAgainstDropCaches } from './reclaim-against-drop-caches.ts';
import { type Row, table } from './table.ts';

/**
 * Reclaim against drop_caches, evidence against find, and one incident by phase: on this machine, in one run.
 * It drops the caches of the host, so it is for a machine that is nobody's production.
 *
 * @returns whether every bar was met
 */
export async function spine(): Promise<boolean> {
  const host = checkHost();
  if (!host.possible) {
    process.stderr.write(`this bench needs a real memory hierarchy: ${host.missing}\n`);
    return false;
  }
  await cleanUpOldLeaks();
  process.stdout.write(`kernel ${release()}, ${cpus().length} CPUs (${cpus()[0]?.model.trim()})\n\n`);
  const met: boolean[] = [];
  const print = (title: string, ours: string, theirs: string, rows: Row[]): void => {
    process.stdout.write(`${table(title, ours, theirs, rows)}\n`);
    met.push(...rows.flatMap(({ bar }) => (bar === undefined ? [] : [bar.met])));
  };
  const say = (text: string): void => void process.stderr.write(`${text}\n`);

  print(
    'Reclaim against drop_caches, on the same leak',
    'reclaim',
    '`drop_caches=3`',
    await reclaimAgainstDropCaches(say),
  );
  print(
    'Evidence against a bare count of directories',
    'collect-evidence',
    '`find -type d \\| wc -l`',
    await evidenceAgainstFind(say),
  );
  print('One incident, from the command to its end', 'seconds', 'share', await incidentByPhase(say));
  return met.every(Boolean);
}
