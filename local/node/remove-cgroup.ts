import { readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process that was killed while it wrote leaves only when the kernel has let go of what it wrote; under load that takes seconds. */
const mostAttempts = 300;
const pauseMs = 100;

/** Removes a cgroup of ours. Only a worker of ours is ever inside; one that was just killed needs a moment to leave. */
export async function removeCgroup(path: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    killProcessesIn(path);
    try {
      rmdirSync(path);
      return;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'ENOENT') return;
      if (code !== 'EBUSY' || attempt >= mostAttempts) throw error;
      await sleep(pauseMs);
    }
  }
}

export function killProcessesIn(cgroup: string): void {
  for (const pid of processesIn(cgroup)) kill(pid);
}

function processesIn(cgroup: string): number[] {
  try {
    return readFileSync(join(cgroup, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has left by itself.
  }
}
