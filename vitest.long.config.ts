import { defineConfig } from 'vitest/config';

/** The treatments killed in every state, their refusals, hostile values, and many more cases of every property: "npm run test:long", some minutes. */
export default defineConfig({
  test: {
    include: ['test/**/*.long-test.ts', 'test/properties/*.test.ts'],
    env: { PROPERTY_TIMES: process.env.PROPERTY_TIMES ?? '20' },
    maxWorkers: 2,
    testTimeout: 300_000,
    hookTimeout: 120_000,
  },
});
