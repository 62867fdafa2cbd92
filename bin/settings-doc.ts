import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { settingsPage } from './settings-page.ts';

if (process.argv.length > 2) {
  process.stderr.write(
    'npm run docs takes no arguments: it writes docs/settings.md from the schema of the settings\n',
  );
  process.exit(2);
}

const file = resolve(import.meta.dirname, '../docs/settings.md');
writeFileSync(file, settingsPage());
process.stdout.write(`wrote ${file}\n`);
