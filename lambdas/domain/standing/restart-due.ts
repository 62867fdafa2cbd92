import type { Evidence } from '../evidence/evidence.ts';
import type { Cluster } from '../settings.ts';
import { courseText, type KubeletCourse, type Projected, projectKubelet } from './kubelet-course.ts';
import { turnAt } from './last-window.ts';
import type { Standing } from './standing.ts';

type Agreed = Pick<Standing, 'threshold'>;
type Known = Pick<Cluster, 'thresholds' | 'standing' | 'gates'>;

/** When the kubelet of a node holds what people agreed that it is not to reach. */
export function projectedFor({ threshold }: Agreed, evidence: Evidence, { thresholds }: Known): Projected {
  return projectKubelet(evidence, { limitMb: threshold, leastMbPerDay: thresholds.kubeletMbPerDay });
}

/** Why the kubelet of this node is not restarted now; `undefined` where it is its turn. */
export function whyNotNow(
  standing: Agreed,
  evidence: Evidence | undefined,
  cluster: Known,
  now: Date,
): string | undefined {
  if (evidence === undefined) return 'there is no evidence from this node';
  const projected = projectedFor(standing, evidence, cluster);
  if ('unknown' in projected) return `no course of its kubelet is known: ${projected.unknown}`;
  if ('steady' in projected) return projected.steady;
  const { is, reason } = turnOf(projected, cluster, now);
  return is === 'now' ? undefined : `${courseText(projected)}; ${reason}`;
}

export function turnOf({ fullAt }: Pick<KubeletCourse, 'fullAt'>, { gates, standing }: Known, now: Date) {
  return turnAt(fullAt, gates.windows.open, standing.aheadHours, now);
}
