import { spawnSync } from 'node:child_process';
import { IncidentRecord } from '../lambdas/domain/incident-record.ts';
import { number, percent, type Row } from './table.ts';

/** `npm start -- --node host --json`, by the clock of this process and by its own phases. */
export async function incidentByPhase(say: (text: string) => void): Promise<Row[]> {
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
  const share = (part: number): string => percent(part, seconds);
  return [
    { what: `whole command (outcome ${outcome})`, ours: number(seconds, 1), theirs: '100.0 %' },
    ...Object.entries(timings.byPhase).map(([phase, ms]) => ({
      what: phase,
      ours: number(ms / 1000, 1),
      theirs: share(ms / 1000),
    })),
  ];
}
