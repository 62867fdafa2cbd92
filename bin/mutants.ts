import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

const usage = `npm run mutants [-- FILE…]
  Changes the code of the domain, one place at a time, and runs the tests that reach it: what no test notices is listed.
  FILE  what to change, a path or a glob; without any, the parts that decide (stryker.config.mjs): half an hour\n`;

function fail(message: string): never {
  process.stderr.write(message);
  process.exit(2);
}

const root = resolve(import.meta.dirname, '..');
const files = process.argv.slice(2);
if (files.some((file) => file.startsWith('-'))) fail(usage);
// Stryker takes one list with commas, and would cut a glob like {a,b}.ts in two; what is not there it passes over.
const found = files.flatMap((file) => {
  const paths = globSync(file, { cwd: root });
  return paths.length > 0 ? paths : fail(`no file is called "${file}" in ${root}\n${usage}`);
});
const core = createRequire(import.meta.url).resolve('@stryker-mutator/core/package.json');
const { status, error } = spawnSync(
  process.execPath,
  [join(dirname(core), 'bin/stryker.js'), 'run', ...(found.length > 0 ? ['--mutate', found.join(',')] : [])],
  { cwd: root, stdio: 'inherit' },
);
if (error !== undefined) throw error;
process.exitCode = status ?? 1;
