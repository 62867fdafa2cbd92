import type { Series } from '../evidence/trend.ts';

export type Point = Series['points'][number];

/** A fall by more than this share of what it was is a restart, or somebody who freed it. */
const restartShare = 0.3;
/** So is one that takes back half of all the figure ever moved. */
const restartOfRange = 0.5;
/** What goes further than this many usual steps at once is no step of the usual kind. */
const unusual = 4;
/**
 * A sawtooth with teeth shorter than this goes up and down by itself: a garbage collector, a cache that is trimmed, a
 * job that comes back. A leak that has to be restarted more often shows in its restarts.
 */
const leastToothSeconds = 4 * 3600;

/** The points in the order of time. Several at one moment count as one, with the value in their middle. */
export function inOrder(points: readonly Point[]): Point[] {
  const byMoment = new Map<number, number[]>();
  for (const [at, value] of points) {
    if (!Number.isFinite(at) || !Number.isFinite(value)) continue;
    const there = byMoment.get(at);
    if (there === undefined) byMoment.set(at, [value]);
    else there.push(value);
  }
  return [...byMoment]
    .sort(([a], [b]) => a - b)
    .map(([at, values]): Point => [at, middleOf(values.sort((a, b) => a - b))]);
}

/**
 * Without the points that stick out on their own, far from both of their neighbours, which agree with each other: one
 * reading that went wrong is no restart and no growth.
 */
export function withoutOddOnes(points: readonly Point[]): Point[] {
  const far = unusual * usualStep(points);
  return points.filter(([, value], index) => {
    const before = points[index - 1]?.[1];
    const after = points[index + 1]?.[1];
    if (before === undefined || after === undefined) return true;
    const between = value >= Math.min(before, after) && value <= Math.max(before, after);
    const distance = Math.min(Math.abs(value - before), Math.abs(value - after));
    return between || distance <= far || Math.abs(before - after) > distance / 2;
  });
}

/**
 * The stretches between restarts, in which growth is growth. What goes up and down too fast to be restarts is one
 * stretch.
 *
 * @param points in the order of time
 */
export function coursesOf(points: readonly Point[]): Point[][] {
  const far = unusual * usualStep(points);
  const values = points.map(([, value]) => value).sort((a, b) => a - b);
  const range = (values.at(-1) ?? 0) - (values[0] ?? 0);
  const courses: Point[][] = [];
  for (const [index, point] of points.entries()) {
    const before = points[index - 1]?.[1] ?? point[1];
    const fall = before - point[1];
    const restarted = fall > far && fall > Math.min(Math.abs(before) * restartShare, range * restartOfRange);
    if (courses.length === 0 || restarted) courses.push([]);
    courses.at(-1)?.push(point);
  }
  const teeth = courses
    .slice(1, -1)
    .map(spanOf)
    .sort((a, b) => a - b);
  const swings = teeth.length > 0 && middleOf(teeth) < leastToothSeconds;
  return swings ? [[...points]] : courses;
}

export function spanOf(course: readonly Point[]): number {
  return (course.at(-1)?.[0] ?? 0) - (course[0]?.[0] ?? 0);
}

/** How far the figure usually moves from one point to the next. */
function usualStep(points: readonly Point[]): number {
  const steps = points
    .slice(1)
    .map(([, value], index) => Math.abs(value - (points[index]?.[1] ?? value)))
    .sort((a, b) => a - b);
  return steps.length === 0 ? 0 : middleOf(steps);
}

/** Of values in order; the mean of the two in the middle of an even number. */
function middleOf(sorted: readonly number[]): number {
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}
