import { defineConfig } from 'vitest/config';

/** The tests in virtual nodes: "npm run test:node". They boot machines, so "npm test" leaves them alone. */
export default defineConfig({
  test: {
    include: ['test/node/**/*.node-test.ts'],
    // One node at a time: emulating its two processors takes two of ours, and a node that is starved has gaps.
    maxWorkers: 1,
    testTimeout: 1_200_000,
    hookTimeout: 900_000,
  },
});
