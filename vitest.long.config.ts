import { defineConfig } from 'vitest/config';

/** The treatments killed in every state, their refusals, hostile values: "npm run test:long", some minutes. */
export default defineConfig({
  test: {
    include: ['test/**/*.long-test.ts'],
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
