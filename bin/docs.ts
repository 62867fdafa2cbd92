import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { causeIds } from './cause-ids.ts';

const usage = `npm run docs [-- --check]
  Writes what is made from the code: docs/settings.md, the parts of docs/diagnosis.md between markers, and the ids of the causes.
  --check  writes nothing; exit code 1 where one of them is not as it would be written\n`;

const [option, ...more] = process.argv.slice(2);
if (more.length > 0 || (option !== undefined && option !== '--check')) {
  process.stderr.write(usage);
  process.exit(2);
}
make('lambdas/domain/causes/cause-id.ts', causeIds());
// With ids that are not right nothing else can be.
if (process.exitCode === 1) process.exit();
// Not before: what makes the pages goes by the ids.
const [{ settingsPage }, { diagnosisPage }] = await Promise.all([
  import('./settings-page.ts'),
  import('./diagnosis-page.ts'),
]);
make('docs/settings.md', settingsPage());
make('docs/diagnosis.md', diagnosisPage());

function make(name: string, text: string): void {
  const file = resolve(import.meta.dirname, '..', name);
  if (option === undefined) {
    writeFileSync(file, text);
    process.stdout.write(`wrote ${file}\n`);
  } else if (readFileSync(file, 'utf8') !== text) {
    process.stderr.write(`${name} is not what the code says any more: run "npm run docs"\n`);
    process.exitCode = 1;
  }
}
