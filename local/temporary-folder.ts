import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'cgroup-medic-';
/** `cgroup-medic-KIND-PID-RANDOM`. */
const pattern = /^cgroup-medic-[a-z]+-(\d+)-/;

/** A folder of this process in the system's temporary one; its name says whose it is. */
export function temporaryFolder(kind: 'agent' | 'assembly' | 'node'): string {
  return mkdtempSync(join(tmpdir(), `${prefix}${kind}-${process.pid}-`));
}

/** Removes the folders of processes that were killed before they could. */
export function removeAbandonedFolders(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = pattern.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid)))
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
