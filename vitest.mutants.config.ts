import { defineConfig } from 'vitest/config';

/** What is about the pure domain and is quick: it runs once for each mutant. */
export default defineConfig({
  test: { include: ['test/lambdas/domain/**/*.test.ts', 'test/cases/*.test.ts'], maxWorkers: 1 },
});
