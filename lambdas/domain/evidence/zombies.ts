import type { Evidence, Slice } from './evidence.ts';
import { probeValue } from './probe.ts';

/** Fewer dying cgroups, or ghost bytes, than this in a slice are the floor of any node and not worth a reclaim. */
export const leastDying = 30;
export const leastGhostKb = 1024;
/** A child that holds at least this share of what its parent holds stands for it: reclaim there spares the siblings. */
const standsFor = 0.9;

/** The slices that hold dying cgroups, most first. By count on cgroup v2, by ghost bytes on v1. */
export function slicesWithZombies(evidence: Evidence): Slice[] {
  const entries = probeValue(evidence.probes.slices)?.entries ?? [];
  return entries
    .filter((slice) => slice.path !== '/')
    .filter((slice) =>
      slice.dying === null ? (slice.ghostKb ?? 0) >= leastGhostKb : slice.dying >= leastDying,
    )
    .sort((a, b) => weight(b) - weight(a) || (a.path < b.path ? -1 : 1));
}

/**
 * The slices that a reclaim should name: of each branch the deepest one that accounts for its zombies, so that as few
 * of the living as possible share it. No slice in the answer contains another.
 */
export function reclaimTargets(evidence: Evidence): Slice[] {
  const holders = slicesWithZombies(evidence);
  const tops = holders.filter((slice) => !holders.some((other) => isBelow(slice.path, other.path)));
  return tops.map((top) => deepestFor(top, holders));
}

/** Ghost bytes (v1) are of one level only, so a child never accounts for its parent's; counts (v2) are of the subtree. */
function deepestFor(slice: Slice, holders: Slice[]): Slice {
  if (slice.dying === null) return slice;
  const heir = holders.find(
    (other) => isBelow(other.path, slice.path) && weight(other) >= standsFor * weight(slice),
  );
  return heir === undefined ? slice : deepestFor(heir, holders);
}

/** Whether `path` lies inside the subtree of a slice, which the root is not (a path is not below itself). */
export function isBelow(path: string, slice: string): boolean {
  return path.startsWith(`${slice}/`);
}

function weight(slice: Slice): number {
  return slice.dying ?? slice.ghostKb ?? 0;
}
