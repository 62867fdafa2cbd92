import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './exec.ts';

type Results = { testResults: { assertionResults: { status: string; fullName: string }[] }[] };

/**
 * Runs the tests of a vitest configuration and names the ones that were skipped. Where CI is set, a skipped one fails
 * the run, for a test that never runs anywhere is none. Returns whether all is well.
 */
export function runTests(config: string, files: readonly string[]): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-'));
  const report = join(folder, 'results.json');
  const vitest = run('vitest', [
    'run',
    `--config=${config}`,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...files,
  ]);
  const tests = readTests(report);
  rmSync(folder, { recursive: true });

  const named = (status: string): string[] =>
    tests.filter((test) => test.status === status).map((test) => test.fullName);
  const skipped = [...named('skipped'), ...named('pending'), ...named('todo')];
  for (const name of skipped) process.stdout.write(`skipped: ${name}\n`);
  process.stdout.write(
    `${named('passed').length} passed, ${named('failed').length} failed, ${skipped.length} skipped\n`,
  );

  const incomplete = skipped.length > 0 && process.env.CI !== undefined;
  if (incomplete) process.stderr.write('in CI everything has to run; install what the skipped tests name\n');
  return vitest === 0 && !incomplete;
}

function readTests(path: string): { status: string; fullName: string }[] {
  try {
    const { testResults } = JSON.parse(readFileSync(path, 'utf8')) as Results;
    return testResults.flatMap((file) => file.assertionResults);
  } catch {
    process.stderr.write('the test runner left no results\n');
    return [];
  }
}
