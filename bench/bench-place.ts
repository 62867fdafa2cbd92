import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { homeFolder } from '../local/home.ts';
import { memoryMount } from '../local/node/memory-hierarchy-v1.ts';
import { removeCgroup } from '../local/node/remove-cgroup.ts';

const prefix = 'cgroup-medic-bench-';
/** `cgroup-medic-bench-PID-WHAT`: the pid says whose it is. */
const pattern = new RegExp(`^${prefix}(\\d+)-[a-z]+$`);

export type BenchPlace = {
  /** A memory cgroup of its own (v1), relative to the hierarchy, as documents name it. */
  slice: string;
  /** The same, as a folder. */
  cgroup: string;
  /** A folder on the disk of the checkout: a tmpfs has no page cache that could be lost. */
  files: string;
};

/** Gives `act` a cgroup and a folder, and removes both, with everything in them. */
export async function withBenchPlace<T>(what: string, act: (place: BenchPlace) => Promise<T>): Promise<T> {
  const name = `${prefix}${process.pid}-${what}`;
  const place = { slice: `/${name}`, cgroup: join(memoryMount, name), files: join(homeFolder(), name) };
  mkdirSync(place.files, { recursive: true });
  mkdirSync(place.cgroup);
  try {
    return await act(place);
  } finally {
    await remove(name);
  }
}

/** Removes what benches left that were killed. */
export async function cleanUpOldBenches(): Promise<void> {
  for (const folder of [memoryMount, homeFolder()]) {
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      const pid = pattern.exec(name)?.[1];
      if (pid !== undefined && !existsSync(`/proc/${pid}`)) await remove(name);
    }
  }
}

async function remove(name: string): Promise<void> {
  // Before the cgroups: with the pages of the files go the dying ones.
  rmSync(join(homeFolder(), name), { recursive: true, force: true });
  const cgroup = join(memoryMount, name);
  if (!existsSync(cgroup)) return;
  for (const entry of readdirSync(cgroup, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeCgroup(join(cgroup, entry.name));
  }
  await removeCgroup(cgroup);
}
