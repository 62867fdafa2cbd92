import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { evidenceWith } from '../lambdas/domain/sample-evidence.ts';

const folder = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-pipe-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const evidence = join(folder, 'evidence.json');
writeFileSync(evidence, JSON.stringify(evidenceWith()));

it.each([
  ['diagnose', [evidence]],
  ['plan', [evidence]],
  ['document', ['reclaim', '--help']],
  ['audit', ['--help']],
])('npm run %s ends without a stack when nobody reads what it prints', (command, args) => {
  // The reader is gone long before anything is printed.
  const script = '"$@" | true; exit $PIPESTATUS';
  const { status, stderr } = spawnSync(
    'bash',
    ['-c', script, '-', process.execPath, 'bin/run.mjs', `local/${command}.ts`, ...args],
    { cwd: resolve(import.meta.dirname, '../..'), encoding: 'utf8' },
  );

  expect({ status, stderr }).toEqual({ status: 141, stderr: '' });
});
