import type { Table } from '../table.ts';

/** How much is made and looked at. */
export type Sizes = {
  liveDirectories: number;
  rounds: number;
  /** Beside which the evidence is measured a second time. */
  zombies: number;
  reclaim: number;
  reclaimMany: number;
  /** Page cache of somebody else. */
  hotMiB: number;
  largeZombieMiB: number;
  /** Live cgroups, and dying ones, of the slices of a virtual node. */
  leaves: number;
  guestZombies: number;
  guestHotMiB: number;
};

export const fullSizes: Sizes = {
  liveDirectories: 20_000,
  rounds: 5,
  zombies: 50_000,
  reclaim: 100_000,
  reclaimMany: 400_000,
  hotMiB: 1024,
  largeZombieMiB: 8192,
  leaves: 3000,
  guestZombies: 2000,
  guestHotMiB: 200,
};

/** Enough to see that a part works. What it prints is no measurement, and no bar is judged. */
export const smallSizes: Sizes = {
  liveDirectories: 200,
  rounds: 2,
  zombies: 400,
  reclaim: 2000,
  reclaimMany: 4000,
  hotMiB: 64,
  largeZombieMiB: 256,
  leaves: 50,
  guestZombies: 200,
  guestHotMiB: 32,
};

export type Context = {
  sizes: Sizes;
  /** Progress, for whoever waits. */
  say: (text: string) => void;
  /** Stops the part, which cleans up and throws. */
  signal: AbortSignal;
};

/** One measurement. */
export type Part = {
  /** What it says, in a line. */
  about: string;
  where: 'host' | 'vm';
  measure: (context: Context) => Promise<Table>;
};

/** Raised when a part cannot be had on this machine, for want of memory, say; it is skipped with this reason. */
export class SkippedError extends Error {
  override readonly name = 'SkippedError';
}
