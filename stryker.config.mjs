/** What `npm run mutants` does where it is given no files: the parts that decide. */
export default {
  mutate: [
    'lambdas/domain/diagnosis.ts',
    'lambdas/domain/plan.ts',
    'lambdas/domain/verification.ts',
    'lambdas/domain/{gates,verification}/*.ts',
    'lambdas/domain/causes/{confidence,gather,healthy,dying-memcgs}.ts',
    'lambdas/domain/evidence/{contradictions,zombies}.ts',
  ],
  // A mutated text is found by tests of texts only, and there are to be few of those.
  mutator: { excludedMutations: ['StringLiteral', 'ObjectLiteral'] },
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.mutants.config.ts' },
  coverageAnalysis: 'perTest',
  // What runs when a module is loaded has to be tested by all tests: the schemas, mostly.
  ignoreStatic: true,
  // TypeScript 7 has no API to read a tsconfig.json with, and nothing here needs it rewritten: this file does not exist.
  tsconfigFile: 'none.json',
  disableTypeChecks: false,
  ignorePatterns: ['cdk.out', '.cgroup-medic'],
  reporters: ['clear-text', 'progress-append-only'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  concurrency: 2,
  timeoutMS: 20_000,
};
