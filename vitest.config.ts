import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** What is pure leaves nothing behind that the next file could find. */
const pure = ['test/lambdas/domain/**/*.test.ts', 'test/properties/*.test.ts', 'test/cases/*.test.ts'];

/** Those that look at the template alone, and so have stand-ins for the bundles (test/cdk/template.ts). */
const templates = readdirSync(join(import.meta.dirname, 'test/cdk'))
  .map((name) => join('test/cdk', name))
  .filter(
    (file) =>
      file.endsWith('.test.ts') &&
      readFileSync(join(import.meta.dirname, file), 'utf8').includes("from './template.ts'"),
  );

export default defineConfig({
  test: {
    // One more than CI has cores: incidents, treatments and commands wait most of their time. What measures the host
    // takes turns (test/host-lock.ts), and an assembly is made once for all (test/local/test-engine.ts).
    maxWorkers: 3,
    testTimeout: 60_000,
    // As long as others hold the host.
    hookTimeout: 240_000,
    projects: [
      // Files that share a worker load zod, the domain and the CDK once, which takes longer than most of their tests.
      { extends: true, test: { name: 'pure', include: pure, isolate: false } },
      {
        extends: true,
        // A walk through the machine that retries waits, up to 17 s: all of them wait together.
        test: { name: 'templates', include: templates, isolate: false, maxConcurrency: 50 },
      },
      {
        extends: true,
        test: { name: 'other', include: ['test/**/*.test.ts'], exclude: [...pure, ...templates] },
      },
    ],
  },
});
