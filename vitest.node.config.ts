import { defineConfig } from 'vitest/config';

/** The tests in virtual nodes: "npm run test:node". They boot machines, so "npm test" leaves them alone. */
export default defineConfig({
  test: {
    include: ['test/node/**/*.node-test.ts'],
    // A node has two processors, and emulating them takes two of ours.
    maxWorkers: 2,
    testTimeout: 600_000,
    hookTimeout: 900_000,
  },
});
