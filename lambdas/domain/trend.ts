import type { Evidence } from './evidence/evidence.ts';
import { probeValue } from './evidence/probe.ts';
import type { Series, SeriesName } from './evidence/trend.ts';
import { slopePerHour } from './slope.ts';

/** A course says nothing over less time than this, or with fewer points. */
const leastSeconds = 3600;
const leastPoints = 6;
/** People write down where it was and where it is: those two are true, and far enough apart for them to have noticed. */
const leastReported = { seconds: 300, points: 2 };
/** A fall by more than this share from one point to the next is a restart, or somebody who freed it: a new course begins. */
const restart = 0.3;

/**
 * Where a figure goes, from the longest stretch without a restart. `perDay` is in the unit of the series; `between`, the
 * ends of that stretch in seconds since 1970, is absent where a report names only the rate.
 */
export type Growth = {
  perDay: number;
  hours: number;
  points: number;
  source: string;
  between?: readonly [number, number];
};

/**
 * How fast a figure grows, by a robust slope (Theil–Sen) over its last course: one that a restart, a gap or a sawtooth
 * does not fool. From the metrics where there are any, else from the samples that the node keeps. `undefined` where there
 * is too little to say: that is not "it does not grow".
 */
export function growthPerDay(evidence: Evidence, name: SeriesName): Growth | undefined {
  const series = seriesOf(evidence, name);
  return series && growthOf(series);
}

export function growthOf({ source, points, perDay }: Series): Growth | undefined {
  if (source === 'report' && perDay !== null) return { perDay, hours: 0, points: 0, source: names[source] };
  const least = source === 'report' ? leastReported : { seconds: leastSeconds, points: leastPoints };
  const course = longestCourse(points);
  const first = course[0];
  const last = course.at(-1);
  if (first === undefined || last === undefined || course.length < least.points) return undefined;
  const seconds = last[0] - first[0];
  if (seconds < least.seconds) return undefined;
  const perHour = slopePerHour(course.map(([at, value]) => ({ at: at * 1000, value })));
  const hours = Math.round(seconds / 360) / 10;
  return {
    perDay: perHour * 24,
    hours,
    points: course.length,
    source: `${names[source]}: ${course.length} points over ${hours} h`,
    between: [first[0], last[0]],
  };
}

/** The word of a report for where a figure goes, without a number: less than a growth, and more than nothing. */
export function courseAsReported(evidence: Evidence, name: SeriesName): Series['course'] {
  return probeValue(evidence.probes.trend)?.series[name]?.course ?? null;
}

/** How long until the figure passes the limit, in hours, if it goes on like this; `undefined` where it does not grow. */
export function hoursUntil(limit: number, now: number, growth: Growth | undefined): number | undefined {
  if (growth === undefined || !(growth.perDay > 0)) return undefined;
  return Math.max(0, ((limit - now) * 24) / growth.perDay);
}

const names = {
  cloudwatch: 'CloudWatch',
  node: 'samples kept on the node',
  report: 'as reported',
} as const satisfies Record<Series['source'], string>;

/** Place of a figure in the samples that the node keeps. */
const kept: Partial<Record<SeriesName, 1 | 2 | 4 | 5 | 6>> = {
  live: 1,
  dying: 2,
  availableKb: 4,
  slabUnreclaimableKb: 5,
  percpuKb: 6,
};

/** The points of a figure, from where there are any: metrics first, for they reach further back. */
export function seriesOf(evidence: Evidence, name: SeriesName): Series | undefined {
  const measured = probeValue(evidence.probes.trend)?.series[name];
  if (measured !== undefined && growthOf(measured) !== undefined) return measured;
  const place = kept[name];
  const samples = probeValue(evidence.probes.history)?.samples;
  if (place === undefined || samples === undefined) return measured;
  const points = samples.flatMap((sample): [number, number][] => {
    const value = sample[place];
    return value === null ? [] : [[sample[0], value]];
  });
  return points.length > (measured?.points.length ?? 0)
    ? { source: 'node', points, perDay: null, course: null }
    : measured;
}

function longestCourse(points: Series['points']): Series['points'] {
  const courses: Series['points'][] = [[]];
  for (const point of points) {
    const course = courses.at(-1) ?? [];
    const before = course.at(-1);
    if (before !== undefined && point[1] < before[1] * (1 - restart)) courses.push([point]);
    else course.push(point);
  }
  return courses.reduce((longest, course) => (spanOf(course) > spanOf(longest) ? course : longest));
}

function spanOf(course: Series['points']): number {
  return (course.at(-1)?.[0] ?? 0) - (course[0]?.[0] ?? 0);
}
