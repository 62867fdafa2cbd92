import { runTests } from './run-tests.ts';

/** The tests in virtual nodes. */
process.exitCode = runTests('vitest.node.config.ts', process.argv.slice(2)) ? 0 : 1;
