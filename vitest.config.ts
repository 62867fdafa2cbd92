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
    // Tests that share the kernel's cgroup tree or build the app must not race each other for two cores.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      // Files that share a worker load zod, the domain and the CDK once, which takes longer than most of their tests.
      { extends: true, test: { name: 'pure', include: pure, isolate: false } },
      { extends: true, test: { name: 'templates', include: templates, isolate: false } },
      {
        extends: true,
        test: { name: 'other', include: ['test/**/*.test.ts'], exclude: [...pure, ...templates] },
      },
    ],
  },
});
