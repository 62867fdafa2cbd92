import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // One more than CI has cores: incidents, treatments and commands wait most of their time. What measures the host
    // takes turns (test/host-lock.ts), and an assembly is made once for all (test/local/test-engine.ts).
    maxWorkers: 3,
    testTimeout: 60_000,
    // As long as others hold the host.
    hookTimeout: 240_000,
  },
});
