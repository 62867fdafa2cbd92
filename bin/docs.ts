import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { diagnosisPage } from './diagnosis-page.ts';
import { settingsPage } from './settings-page.ts';

const usage = `npm run docs [-- --check]
  Writes what is made from the code: docs/settings.md, and the parts of docs/diagnosis.md between markers.
  --check  writes nothing; exit code 1 where one of them is not as it would be written\n`;

const pages = { 'docs/settings.md': settingsPage, 'docs/diagnosis.md': diagnosisPage };

const [option, ...more] = process.argv.slice(2);
if (more.length > 0 || (option !== undefined && option !== '--check')) {
  process.stderr.write(usage);
  process.exit(2);
}
for (const [name, textOf] of Object.entries(pages)) {
  const file = resolve(import.meta.dirname, '..', name);
  const text = textOf();
  if (option === undefined) {
    writeFileSync(file, text);
    process.stdout.write(`wrote ${file}\n`);
  } else if (readFileSync(file, 'utf8') !== text) {
    process.stderr.write(`${name} is not what the code says any more: run "npm run docs"\n`);
    process.exitCode = 1;
  }
}
