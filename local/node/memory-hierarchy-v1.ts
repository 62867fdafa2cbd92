import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where cgroup v1 has its memory hierarchy on every distribution in use. */
export const memoryMount = '/sys/fs/cgroup/memory';

/** Memory cgroups the kernel knows, dying ones included; `undefined` where it does not say. */
export function registeredCgroups(): number | undefined {
  const row = readFileSync('/proc/cgroups', 'utf8')
    .split('\n')
    .find((line) => line.startsWith('memory\t'));
  return row === undefined ? undefined : Number(row.split('\t')[2]);
}

/** Dying memory cgroups of this host. Not one moment for both counts, so never below zero. */
export function countDying(): number {
  return Math.max(0, (registeredCgroups() ?? 0) - countDirectories(memoryMount));
}

function countDirectories(path: string): number {
  let count = 1;
  for (const entry of list(path)) {
    if (entry.isDirectory()) count += countDirectories(join(path, entry.name));
  }
  return count;
}

/** A cgroup can vanish while it is walked. */
function list(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
