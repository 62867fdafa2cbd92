import { run } from './exec.ts';
import { runTests } from './run-tests.ts';

/** Everything that can run on this machine, the virtual nodes apart. */
const files = process.argv.slice(2);
if (files.some((file) => file === '--help' || file === '-h')) {
  process.stdout.write(
    'usage: npm test [-- FILE…]\nLint, then every test that can run here; with files or folders only their tests, without lint.\n',
  );
  process.exit(0);
}
const lint = files.length === 0 ? run(process.execPath, ['bin/run.mjs', 'bin/lint.ts']) : 0;
const passed = runTests('vitest.config.ts', files);
process.exitCode = lint === 0 && passed ? 0 : 1;
