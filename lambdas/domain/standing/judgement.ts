import type { Course, StandingDay } from './course.ts';
import type { Standing } from './standing.ts';

/** Days between two judgements, and that each looks at. */
const windowDays = 7;
const dayMs = 86_400_000;
/** More looks than this share that find a node over the threshold: it comes back faster than it is freed. */
const mostOver = 0.25;
/** A mean that rises within the window by more than this share of the threshold: each reclaim leaves more behind. */
const mostRise = 0.25;

export type StandingJudgement = {
  /** unknown: no node has told how many it has; that is no good news. */
  verdict: 'keeps-up' | 'falls-behind' | 'unknown';
  /** With its figures. */
  reason: string;
};

/** Whether people are due to be told how it goes: a week after it began, and then every week. */
export function isDue(standing: Standing, { judgedAt }: Course, now: Date): boolean {
  return now.getTime() - Date.parse(judgedAt ?? standing.from) >= windowDays * dayMs;
}

/** Whether a standing reclaim keeps up with what makes the dying cgroups, by the runs of the last seven days. */
export function judgeStanding(
  { threshold }: Pick<Standing, 'threshold'>,
  { days, acts }: Course,
  now: Date,
): StandingJudgement {
  const since = new Date(now.getTime() - windowDays * dayMs).toISOString().slice(0, 10);
  const seen = days.filter(({ day, looks }) => day >= since && looks > 0);
  const looks = total(seen, 'looks');
  if (looks === 0) {
    return {
      verdict: 'unknown',
      reason: `no node of the group has told in the last ${windowDays} days how many dying cgroups it has`,
    };
  }
  const over = total(seen, 'over');
  const [first, last] = [meanOf(seen.slice(0, 2)), meanOf(seen.slice(-2))];
  const rise = seen.length < 4 ? 0 : last - first;
  const figures = [
    `${over} of ${looks} looks found a node with ${threshold} dying cgroups or more`,
    `mean ${Math.round(first)} at first and ${Math.round(last)} at last, ${Math.max(...seen.map(({ max }) => max))} at most`,
    `${total(seen, 'raised')} nodes were raised`,
    `of all reclaims since it began ${acts.helped} helped and ${acts.failed} did not`,
  ].join('; ');
  if (over > looks * mostOver) {
    return { verdict: 'falls-behind', reason: `nodes are back over the threshold too often: ${figures}` };
  }
  if (rise > threshold * mostRise) {
    return { verdict: 'falls-behind', reason: `what reclaim leaves behind grows: ${figures}` };
  }
  return { verdict: 'keeps-up', reason: figures };
}

function meanOf(days: readonly StandingDay[]): number {
  return total(days, 'sum') / Math.max(1, total(days, 'looks'));
}

function total(days: readonly StandingDay[], figure: 'looks' | 'over' | 'sum' | 'raised'): number {
  return days.reduce((sum, day) => sum + day[figure], 0);
}
