import { runTests } from './run-tests.ts';

/** The tests of what is asked of an API server, against a real one. */
process.exitCode = runTests('vitest.api.config.ts', process.argv.slice(2)) ? 0 : 1;
