import { globSync } from 'node:fs';
import { basename } from 'node:path';
import { isInstalled, run } from './exec.ts';

const scripts = [
  ...globSync(['ssm-documents/scripts/**/*.sh', 'local/**/*.sh', 'test/**/*.sh', 'prometheus/**/*.sh']),
  ...['local/vm/image/files/usr/local/bin/pod', '.ci/run'],
];

const checks: { name: string; command: string; args: string[]; optional?: true }[] = [
  { name: 'types', command: 'tsc', args: ['-p', '.'] },
  { name: 'code style', command: 'biome', args: ['check', '--error-on-warnings', '.'] },
  { name: 'documents', command: process.execPath, args: ['bin/run.mjs', 'bin/docs.ts', '--check'] },
  { name: 'shell scripts', command: 'shellcheck', args: ['-x', ...scripts], optional: true },
  { name: 'shell style', command: 'shfmt', args: ['-d', '-i', '2', '-ci', ...scripts], optional: true },
];

if (process.argv.length > 2) {
  process.stderr.write('npm run lint takes no arguments: types, code style, documents, shell scripts\n');
  process.exit(2);
}

/** Checks everything that can be checked without running it; a missing host tool is named, in CI it is an error. */
let failed = 0;
for (const { name, command, args, optional } of checks) {
  if (optional && !isInstalled(command)) {
    process.stdout.write(`${name}: skipped, ${command} is not installed\n`);
    if (process.env.CI) failed += 1;
    continue;
  }
  const code = run(command, args);
  process.stdout.write(`${name}: ${code === 0 ? 'clean' : `${basename(command)} found problems`}\n`);
  if (code !== 0) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;
