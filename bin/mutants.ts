import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

const usage = `npm run mutants [-- FILE…]
  Changes the code of the domain, one place at a time, and runs the tests that reach it: what no test notices is listed.
  FILE  what to change, a path or a glob; without any, the parts that decide (stryker.config.mjs): most of an hour\n`;

const files = process.argv.slice(2);
if (files.some((file) => file.startsWith('-'))) {
  process.stderr.write(usage);
  process.exit(2);
}
const core = createRequire(import.meta.url).resolve('@stryker-mutator/core/package.json');
const { status, error } = spawnSync(
  process.execPath,
  [join(dirname(core), 'bin/stryker.js'), 'run', ...(files.length > 0 ? ['--mutate', files.join(',')] : [])],
  { cwd: resolve(import.meta.dirname, '..'), stdio: 'inherit' },
);
if (error !== undefined) throw error;
process.exitCode = status ?? 1;
