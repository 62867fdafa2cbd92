import { parseArgs } from 'node:util';
import { incidentFolder, incidentsIn } from '../test/cases/incident.ts';
import { measure } from '../test/cases/measure.ts';
import { measuredText } from '../test/cases/measured-text.ts';

const usage = `npm run cases [-- [--json] [FOLDER]]
  The diagnosis, measured on public incidents: confusion matrix, accuracy, calibration, forbidden treatments.
  FOLDER  other incidents than those of test/cases/incidents, in the same form
  Exit code 0: every bar is met. 1: one is missed, or an incident cannot be read. 2: wrong usage.`;

process.exitCode = run();

function run(): 0 | 1 | 2 {
  let options: { values: { json?: boolean; help?: boolean }; positionals: string[] };
  try {
    options = parseArgs({
      options: { json: { type: 'boolean' }, help: { type: 'boolean' } },
      allowPositionals: true,
    });
  } catch (error) {
    return complain(`${messageOf(error)}\n\n${usage}`, 2);
  }
  const { values, positionals } = options;
  if (values.help === true) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  if (positionals.length > 1)
    return complain(`one folder at most, and ${positionals.length} were given\n\n${usage}`, 2);
  try {
    const measured = measure(incidentsIn(positionals[0] ?? incidentFolder));
    if (measured.total === 0) return complain(`there are no incidents in ${positionals[0]}`, 1);
    process.stdout.write(
      `${values.json === true ? JSON.stringify(measured, null, 2) : measuredText(measured)}\n`,
    );
    return measured.ok ? 0 : 1;
  } catch (error) {
    return complain(messageOf(error), 1);
  }
}

function complain(text: string, code: 1 | 2): 1 | 2 {
  process.stderr.write(`${text}\n`);
  return code;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
