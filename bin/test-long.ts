import { runTests } from './run-tests.ts';

/** The tests of treatments that take minutes: killed in every state, on sick disks, refused, given hostile values. */
process.exitCode = runTests('vitest.long.config.ts', process.argv.slice(2)) ? 0 : 1;
