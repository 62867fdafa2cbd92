import { defineConfig } from 'vitest/config';

/** What is asked of an API server, against the real one that KUBECONFIG names: "npm run test:api". */
export default defineConfig({
  test: { include: ['test/kubernetes/*.api-test.ts'], maxWorkers: 1, testTimeout: 60_000 },
});
