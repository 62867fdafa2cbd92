import type { Evidence } from '../evidence/evidence.ts';
import type { Series } from '../evidence/trend.ts';
import { slopePerHour } from '../slope.ts';
import { courseAsReported, type Growth, seriesOf } from '../trend.ts';

/** Pods that became more by less than this share are a stable number: that many come and go on any node. */
export const stable = 0.1;
/** Growth that the pods have at least half a part in, share for share, is load and no leak. */
const partOfLoad = 0.5;

type Share = { rise: number; source: string };

/**
 * By which share the number of pods rose while the other figure grew. `undefined` where nobody counted them in that
 * time: then growth by load and a leak cannot be told apart.
 */
export function riseOfPods(evidence: Evidence, growth: Growth): Share | undefined {
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
export function isByLoad(growth: Growth, series: Series | undefined, pods: Share): boolean {
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
