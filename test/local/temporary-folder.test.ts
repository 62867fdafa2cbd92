import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { removeAbandonedFolders, temporaryFolder } from '../../local/temporary-folder.ts';

it('removes the folders of dead processes, and leaves those of the living and of others alone', () => {
  // Above the largest pid that Linux gives out.
  const dead = join(tmpdir(), 'cgroup-medic-agent-4194305-test');
  const foreign = join(tmpdir(), 'cgroup-medic-something-else');
  mkdirSync(dead);
  mkdirSync(foreign, { recursive: true });
  const own = temporaryFolder('node');
  try {
    removeAbandonedFolders();

    expect(existsSync(dead)).toBe(false);
    expect(existsSync(own)).toBe(true);
    expect(existsSync(foreign)).toBe(true);
  } finally {
    for (const folder of [dead, foreign, own]) rmSync(folder, { recursive: true, force: true });
  }
});
