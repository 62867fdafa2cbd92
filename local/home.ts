import { resolve } from 'node:path';

/** Where runs and caches of this machine are kept: `CGROUP_MEDIC_HOME`, or `.cgroup-medic` in the current directory. */
export function homeFolder(): string {
  return resolve(process.env.CGROUP_MEDIC_HOME || '.cgroup-medic');
}
