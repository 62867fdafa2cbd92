import { spawnSync } from 'node:child_process';
import { IncidentRecord } from '../lambdas/domain/incident-record.ts';
import { number, percent, type Table } from './table.ts';

/** `npm start -- --node host --json`, by the clock of this process and by its own phases. */
export async function incidentByPhase(say: (text: string) => void): Promise<Table> {
  say('one incident on this host');
  const started = performance.now();
  const { stdout, stderr, status } = spawnSync(
    'npm',
    ['run', '--silent', 'start', '--', '--node', 'host', '--json'],
    {
      encoding: 'utf8',
    },
  );
  const seconds = (performance.now() - started) / 1000;
  if (status !== 0) throw new Error(`npm start ended with exit code ${status}: ${stderr}`);
  const { timings, outcome } = IncidentRecord.parse(JSON.parse(stdout));
  return {
    title: 'One incident, from the command to its end',
    columns: ['seconds', 'share'],
    rows: [
      { what: `whole command (outcome ${outcome})`, figures: [number(seconds, 1), '100.0 %'] },
      ...Object.entries(timings.byPhase).map(([phase, ms]) => ({
        what: phase,
        figures: [number(ms / 1000, 1), percent(ms / 1000, seconds)],
      })),
    ],
  };
}
