import type { Evidence } from '../evidence/evidence.ts';
import type { Series, SeriesName } from '../evidence/trend.ts';
import { slopePerHour } from '../slope.ts';
import { courseAsReported, type Growth, growsWithoutLoad, seriesOf } from '../trend.ts';
import type { Finding } from './cause.ts';

export const podsFact = 'rise of the number of pods in the same time, percent';

/** Pods that became more by less than this share are a stable number: that many come and go on any node. */
const stable = 0.1;
/** Growth that the pods have at least half a part in, share for share, is load and no leak. */
const partOfLoad = 0.5;

type Share = { rise: number; source: string };

/** Whether load explains that a figure grew, with its finding; `undefined` where it does not grow, or nobody counted the pods. */
export function loadBehind(
  evidence: Evidence,
  name: SeriesName,
  growth: Growth | undefined,
): { explains: boolean; finding: Finding } | undefined {
  const pods = growth && riseOfPods(evidence, growth);
  if (growth === undefined || pods === undefined) return undefined;
  // As many pods more explain as much of it more; but not where it grows at moments with as many pods as well.
  const grows = growsWithoutLoad(evidence, name);
  const explains = !grows && isByLoad(growth, seriesOf(evidence, name), pods);
  const finding: Finding = {
    fact: podsFact,
    value: Math.round(pods.rise * 100),
    threshold: stable * 100,
    speaks: explains ? 'against' : 'for',
    source: `${pods.source}; ${grows ? 'with as many pods it grows as well' : 'as many pods more explain as much of it more'}`,
    ...(explains ? {} : { weight: 0.4 }),
  };
  return { explains, finding };
}

/**
 * By which share the number of pods rose while the other figure grew. `undefined` where nobody counted them in that
 * time: then growth by load and a leak cannot be told apart.
 */
function riseOfPods(evidence: Evidence, growth: Growth): Share | undefined {
  const word = courseAsReported(evidence, 'pods');
  if (word !== null) return { rise: word === 'rises' ? 1 : 0, source: 'as reported' };
  const pods = seriesOf(evidence, 'pods');
  if (pods === undefined) return undefined;
  const [from, to] = growth.between ?? [0, Number.POSITIVE_INFINITY];
  const points = pods.points.filter(([at]) => at >= from && at <= to);
  const rise = riseOf(points);
  return rise === undefined ? undefined : { rise, source: `${points.length} counts in the same time` };
}

/** Whether load explains that the figure grew: the pods became more in the same time, and not much less than it did. */
function isByLoad(growth: Growth, series: Series | undefined, pods: Share): boolean {
  if (pods.rise < stable) return false;
  const [from, to] = growth.between ?? [0, Number.POSITIVE_INFINITY];
  const rise = riseOf((series?.points ?? []).filter(([at]) => at >= from && at <= to));
  return rise === undefined || pods.rise >= rise * partOfLoad;
}

/** Rise over the whole stretch by its robust slope, as a share of the median level; few points have no slope. */
function riseOf(points: Series['points']): number | undefined {
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined || last[0] <= first[0]) return undefined;
  const perHour = slopePerHour(points.map(([at, value]) => ({ at: at * 1000, value })));
  const levels = points.map(([, value]) => value).sort((a, b) => a - b);
  const level = Math.max(1, levels[Math.floor(levels.length / 2)] ?? 1);
  return (perHour * (last[0] - first[0])) / 3600 / level;
}
