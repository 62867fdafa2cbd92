import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Takes ten minutes, mostly of waits: begun last, it would run alone. */
const slowest = 'storm.long-test.ts';

class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted(
      (a, b) => Number(b.moduleId.endsWith(slowest)) - Number(a.moduleId.endsWith(slowest)),
    );
  }
}

/** The treatments killed in every state, their refusals, hostile values, and many more cases of every property: "npm run test:long", some minutes. */
export default defineConfig({
  test: {
    include: ['test/**/*.long-test.ts', 'test/properties/*.test.ts'],
    env: { PROPERTY_TIMES: process.env.PROPERTY_TIMES ?? '20' },
    // One more than CI has cores: most of their time incidents wait.
    maxWorkers: 3,
    testTimeout: 300_000,
    hookTimeout: 120_000,
    sequence: { sequencer: SlowestFirst },
  },
});
