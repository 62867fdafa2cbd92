import type { Evidence } from './evidence/evidence.ts';
import { kubeletMemory, leastHours } from './evidence/kubelet-memory.ts';
import { probeValue } from './evidence/probe.ts';
import type { Series, SeriesName } from './evidence/trend.ts';
import { medianOf } from './slope.ts';
import { coursesOf, inOrder, type Point, spanOf, withoutOddOnes } from './trend/courses.ts';
import { pairSlopes, robustPerDay } from './trend/robust-growth.ts';

/** A course says nothing over less time than this, or with fewer points. */
const least = { seconds: 3600, points: 6 };
/** People write down where it was and where it is: those two are true, and far enough apart for them to have noticed. */
const leastReported = { seconds: 300, points: 2 };

/**
 * Where a figure goes, over the stretches between its restarts. `perDay` is in the unit of the series; `between`, the
 * begin of the first and the end of the last of them in seconds since 1970, is absent where a report names only the rate.
 */
export type Growth = {
  perDay: number;
  hours: number;
  points: number;
  source: string;
  between?: readonly [number, number];
};

/**
 * How fast a figure grows, from the metrics where there are any, else from the samples that the node keeps. `undefined`
 * where there is too little to say (an hour, six points): that is not "it does not grow".
 *
 * The method: points in the order of time, several of one moment as their median; single points that stick out are left
 * out; the rest is cut where the figure falls by more than four of its usual steps, and 30 % of what it was or half of its
 * range (a restart: what was before it says nothing of what comes after). Over what is between the cuts, all stretches together, the growth
 * is the smaller of the Theil–Sen slope of the figure and that of its floor, the lowest values of parts of a stretch. So
 * a nightly reboot does not hide a leak, and what goes up and down around a level, a garbage collector say, is none. Over
 * two days and more, the figure is compared with itself at the same time of day.
 *
 * What it cannot tell: a sawtooth whose teeth are longer than four hours from restarts of a leak (shorter ones it takes
 * for swings); the half of a daily pattern from growth, in less than two days (`growsWithoutLoad` does, with the number of
 * pods); a working week from its weekend.
 */
export function growthPerDay(evidence: Evidence, name: SeriesName): Growth | undefined {
  return growthsPerDay(evidence, name)[0];
}

/** The same from everything that has its course, that of `growthPerDay` first. */
export function growthsPerDay(evidence: Evidence, name: SeriesName): Growth[] {
  return allSeriesOf(evidence, name).flatMap((series) => growthIn(series, name) ?? []);
}

/** The growth of a series whose restarts are falls. */
export function growthOf(series: Series): Growth | undefined {
  return growthIn(series);
}

function growthIn(series: Series, name?: SeriesName): Growth | undefined {
  const { source, perDay } = series;
  if (source === 'report' && perDay !== null) return { perDay, hours: 0, points: 0, source: names[source] };
  const courses = stretchesOf(series, name);
  if (courses.length === 0) return undefined;
  const points = courses.reduce((sum, course) => sum + course.length, 0);
  const hours = Math.round(courses.reduce((sum, course) => sum + spanOf(course), 0) / 360) / 10;
  const restarts = courses.length > 1 ? `, without ${courses.length - 1} restarts between them` : '';
  return {
    perDay: robustPerDay(courses),
    hours,
    points,
    source: `${names[source]}: ${points} points over ${hours} h${restarts}`,
    between: [courses[0]?.[0]?.[0] ?? 0, courses.at(-1)?.at(-1)?.[0] ?? 0],
  };
}

function says(series: Series, name: SeriesName): boolean {
  return (series.source === 'report' && series.perDay !== null) || stretchesOf(series, name).length > 0;
}

/** The stretches of a series that are long enough to say something. */
function stretchesOf({ source, points }: Series, name?: SeriesName): Point[][] {
  const enough = source === 'report' ? leastReported : least;
  return cut(withoutOddOnes(inOrder(points)), name).filter(
    (course) => course.length >= enough.points && spanOf(course) >= enough.seconds,
  );
}

/** A restart gives memory back: what is available rises at once, and everything else falls. */
function cut(points: Point[], name?: SeriesName): Point[][] {
  if (name !== 'availableKb') return coursesOf(points);
  return coursesOf(points.map(mirrored)).map((course) => course.map(mirrored));
}

function mirrored([at, value]: Point): Point {
  return [at, -value];
}

/** Fewer comparisons at the same number of pods than this say nothing. */
const leastPairs = 20;
/** Where the load moved all the time, the same load is only seen for moments; then it is reckoned out instead. */
const leastShareOfSpan = 0.04;
/** The pods were counted within this of the figure. */
const sameMomentSeconds = 1800;

/**
 * Whether a figure grows by itself, and not because there are more pods: at least half of its growth is left where only
 * moments with as many pods are compared. Where the number of pods moves all the time, what a pod costs is estimated by
 * the same slope and taken off; growth that goes together with the pods all the way counts as theirs then.
 *
 * @returns false where it does not grow at all; `undefined` where its growth, or the number of pods, is not known
 */
export function growsWithoutLoad(evidence: Evidence, name: SeriesName): boolean | undefined {
  const series = seriesOf(evidence, name);
  const growth = series && growthIn(series, name);
  const pods = seriesOf(evidence, 'pods');
  if (series === undefined || growth === undefined || pods === undefined) return undefined;
  if (!(growth.perDay > 0)) return false;
  const counted = inOrder(pods.points);
  const loads = new Map<Point, number>();
  const courses = stretchesOf(series, name).map((course) =>
    course.filter((point) => {
      const load = loadAt(counted, point[0]);
      if (load !== undefined) loads.set(point, load);
      return load !== undefined;
    }),
  );
  if (loads.size < least.points) return undefined;
  const load = (point: Point): number => loads.get(point) ?? 0;

  const spans: number[] = [];
  const alike = courses.flatMap((course) =>
    pairSlopes(course, (seconds, a, b) => {
      const same = load(a) === load(b);
      if (same) spans.push(seconds);
      return same;
    }),
  );
  const span = Math.max(...courses.map(spanOf));
  if (alike.length >= leastPairs && medianOf(spans) >= span * leastShareOfSpan) {
    return medianOf(alike) >= growth.perDay / 2;
  }
  const byLoad = courses.map((course) =>
    inOrder(course.map((point): Point => [load(point) * 86_400, point[1]])),
  );
  const perPod = medianOf(byLoad.flatMap((course) => pairSlopes(course)));
  if (Number.isNaN(perPod)) return undefined;
  const rest = courses.map((course) =>
    course.map((point): Point => [point[0], point[1] - perPod * load(point)]),
  );
  return medianOf(rest.flatMap((course) => pairSlopes(course))) >= growth.perDay / 2;
}

/** The number of pods nearest in time. */
function loadAt(pods: readonly Point[], at: number): number | undefined {
  let nearest: Point | undefined;
  for (const point of pods) {
    if (nearest === undefined || Math.abs(point[0] - at) < Math.abs(nearest[0] - at)) nearest = point;
  }
  return nearest !== undefined && Math.abs(nearest[0] - at) <= sameMomentSeconds ? nearest[1] : undefined;
}

/** The word of a report for where a figure goes, without a number: less than a growth, and more than nothing. */
export function courseAsReported(evidence: Evidence, name: SeriesName): Series['course'] {
  return probeValue(evidence.probes.trend)?.series[name]?.course ?? null;
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
  return allSeriesOf(evidence, name)[0];
}

function allSeriesOf(evidence: Evidence, name: SeriesName): Series[] {
  const measured = probeValue(evidence.probes.trend)?.series[name];
  const ring = keptOf(evidence, name);
  if (measured === undefined || ring === undefined)
    return [measured ?? ring].filter((one) => one !== undefined);
  const first = says(measured, name) || ring.points.length <= measured.points.length;
  return first ? [measured, ring] : [ring, measured];
}

/** The samples that the node keeps of a figure. */
function keptOf(evidence: Evidence, name: SeriesName): Series | undefined {
  if (name === 'kubeletRssKb' || name === 'pods') return keptOfKubelet(evidence, name);
  const place = kept[name];
  const samples = probeValue(evidence.probes.history)?.samples;
  if (place === undefined || samples === undefined) return undefined;
  const points = samples.flatMap((sample): [number, number][] => {
    const value = sample[place];
    return value === null ? [] : [[sample[0], value]];
  });
  return points.length === 0 ? undefined : { source: 'node', points, perDay: null, course: null };
}

/**
 * Those of its kubelet since that was started. For an incident only: a census goes by what people agreed to for a group, and raises
 * no node of which it knows no more than this.
 */
function keptOfKubelet(evidence: Evidence, name: 'kubeletRssKb' | 'pods'): Series | undefined {
  const known = kubeletMemory(evidence);
  if ('gap' in known || evidence.profile !== 'full') return undefined;
  const { samples } = known;
  if ((samples.at(-1)?.[0] ?? 0) - (samples[0]?.[0] ?? 0) < leastHours * 3600) return undefined;
  const points = samples.flatMap(([at, rssKb, pods]): [number, number][] => {
    const value = name === 'pods' ? pods : rssKb;
    return value === null ? [] : [[at, value]];
  });
  return points.length === 0 ? undefined : { source: 'node', points, perDay: null, course: null };
}
