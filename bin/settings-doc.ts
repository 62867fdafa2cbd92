import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { settingsPage } from './settings-page.ts';

const file = resolve(import.meta.dirname, '../docs/settings.md');
writeFileSync(file, settingsPage());
process.stdout.write(`wrote ${file}\n`);
