import { medianOf } from '../slope.ts';
import { type Point, spanOf } from './courses.ts';

const daySeconds = 86_400;
/** A stretch of two days or more is compared with itself at the same time of day, within this. */
const sameTimeSeconds = 2700;
/** Fewer pairs at the same time of day than this say less than all pairs do. */
const leastDailyPairs = 20;
/** More points than this are put together by their medians, for every pair of them is looked at. */
const mostPoints = 120;
const mostBins = 8;
/** A day of which less than this share was seen has not shown its lowest hour. */
const wholeDay = 0.9;

/**
 * The growth of some stretches together, per day: the smaller of what the middle of the figure does (Theil–Sen over all
 * pairs within a stretch) and what its floor does (the same over the lowest values of parts of each stretch). A leak
 * raises both; what swings around a level does not raise its floor. For a figure that falls, the ceiling takes the place
 * of the floor. NaN where there are no two points.
 */
export function robustPerDay(courses: readonly (readonly Point[])[]): number {
  const middle = medianOf(courses.flatMap(slopesOf));
  if (Number.isNaN(middle) || middle === 0) return middle;
  const lowest = middle > 0 ? Math.min : Math.max;
  const edge = medianOf(courses.flatMap((course) => pairSlopes(edgeOf(course, lowest))));
  if (Number.isNaN(edge)) return middle;
  return middle > 0 ? Math.max(0, Math.min(middle, edge)) : Math.min(0, Math.max(middle, edge));
}

/** The slopes between the points of one stretch, per day: over two days or more only at the same time of day. */
function slopesOf(course: readonly Point[]): number[] {
  if (spanOf(course) >= 2 * daySeconds) {
    const daily = pairSlopes(course, (seconds) => {
      const rest = seconds % daySeconds;
      return seconds > daySeconds / 2 && Math.min(rest, daySeconds - rest) <= sameTimeSeconds;
    });
    if (daily.length >= leastDailyPairs) return daily;
  }
  return pairSlopes(thinned(course));
}

/** The slopes of all pairs, per day, whose distance in time is a right one. */
export function pairSlopes(
  points: readonly Point[],
  counts: (seconds: number, a: Point, b: Point) => boolean = () => true,
): number[] {
  const slopes: number[] = [];
  // Loops, for there are as many pairs as there are points squared.
  for (const [index, a] of points.entries()) {
    for (let other = index + 1; other < points.length; other++) {
      const b = points[other] ?? a;
      const seconds = b[0] - a[0];
      if (seconds > 0 && counts(seconds, a, b)) slopes.push(((b[1] - a[1]) * daySeconds) / seconds);
    }
  }
  return slopes;
}

/** The lowest, or highest, point of each part of a stretch: of each whole day, or of equally many points. */
function edgeOf(course: readonly Point[], lowest: (...values: number[]) => number): Point[] {
  const parts =
    spanOf(course) >= 2 * daySeconds
      ? daysOf(course)
      : inParts(course, Math.min(mostBins, Math.floor(course.length / 2)));
  return parts.map((part): Point => {
    const value = lowest(...part.map((point) => point[1]));
    return part.find((point) => point[1] === value) ?? [0, 0];
  });
}

function daysOf(course: readonly Point[]): Point[][] {
  const start = course[0]?.[0] ?? 0;
  const days: Point[][] = [];
  for (const point of course) {
    const day = Math.floor((point[0] - start) / daySeconds);
    days[day] ??= [];
    days[day].push(point);
  }
  return days.filter((day) => day !== undefined && spanOf(day) >= wholeDay * daySeconds);
}

function thinned(course: readonly Point[]): readonly Point[] {
  if (course.length <= mostPoints) return course;
  return inParts(course, mostPoints).map((part): Point => {
    const values = part.map(([, value]) => value);
    return [medianOf(part.map(([at]) => at)), medianOf(values)];
  });
}

function inParts(course: readonly Point[], parts: number): Point[][] {
  return Array.from({ length: parts }, (_, part) =>
    course.slice(
      Math.floor((part * course.length) / parts),
      Math.floor(((part + 1) * course.length) / parts),
    ),
  );
}
