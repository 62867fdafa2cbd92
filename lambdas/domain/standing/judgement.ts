import type { Course, StandingDay } from './course.ts';
import type { Standing } from './standing.ts';

/** Days between two judgements, and that each looks at. */
const windowDays = 7;
const dayMs = 86_400_000;
/** More looks than this share that find a node over the threshold: it comes back faster than it is freed. */
const mostOver = 0.25;
/** A mean that rises within the window by more than this share of the threshold: each reclaim leaves more behind. */
const mostRise = 0.25;
/** Of a restart, a share of looks at kubelets that are full: when it begins some may be, and wait for their window. */
const mostLate = 0.05;
/**
 * Looks that tell no course, for each that does. For seven hours after each restart there is none, and a restart each day, the most
 * that nightly windows come to, is less than one in two.
 */
const mostUnseen = 1;

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

/** Whether a standing treatment keeps up with what it is for, by the runs of the last seven days. */
export function judgeStanding(
  standing: Pick<Standing, 'threshold' | 'treatment'>,
  course: Course,
  now: Date,
): StandingJudgement {
  return standing.treatment === 'standing-restart'
    ? judgeRestart(standing, course, now)
    : judgeReclaim(standing, course, now);
}

/** What mends it, for people. */
export function remedyOf({ treatment }: Pick<Standing, 'treatment'>): string {
  return treatment === 'standing-restart'
    ? 'The kubelet has to be mended, by another AMI or by its configuration, or its nodes replaced'
    : 'What makes the dying cgroups has to be stopped, or its nodes replaced';
}

/** Of a restart: it is to come before a kubelet holds what it is not to reach. */
function judgeRestart(
  { threshold }: Pick<Standing, 'threshold'>,
  { days, acts }: Course,
  now: Date,
): StandingJudgement {
  const seen = lately(days, now);
  const [looks, unseen, over] = [total(seen, 'looks'), total(seen, 'unseen'), total(seen, 'over')];
  const why = seen.findLast(({ whyUnseen }) => whyUnseen !== undefined)?.whyUnseen;
  const figures = [
    `${over} of ${looks} looks found a kubelet at its limit (${threshold} MB, or a quarter of the memory of a small node)`,
    `${Math.max(0, ...seen.map(({ max }) => max))} MB at most`,
    `of ${unseen} looks at nodes nobody knows where the memory of the kubelet goes${why === undefined ? '' : ` (${why})`}`,
    `${total(seen, 'raised')} nodes were raised`,
    `of all restarts since it began ${acts.helped} helped and ${acts.failed} did not`,
  ].join('; ');
  if (over > looks * mostLate)
    return { verdict: 'falls-behind', reason: `restarts come too late: ${figures}` };
  // Also where no node has told anything at all.
  if (looks === 0 || unseen > looks * mostUnseen) {
    return { verdict: 'unknown', reason: `in the last ${windowDays} days ${figures}` };
  }
  return { verdict: 'keeps-up', reason: figures };
}

function judgeReclaim(
  { threshold }: Pick<Standing, 'threshold'>,
  { days, acts }: Course,
  now: Date,
): StandingJudgement {
  const seen = lately(days, now).filter(({ looks }) => looks > 0);
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

function lately(days: readonly StandingDay[], now: Date): StandingDay[] {
  const since = new Date(now.getTime() - windowDays * dayMs).toISOString().slice(0, 10);
  return days.filter(({ day }) => day >= since);
}

function meanOf(days: readonly StandingDay[]): number {
  return total(days, 'sum') / Math.max(1, total(days, 'looks'));
}

function total(days: readonly StandingDay[], figure: 'looks' | 'over' | 'sum' | 'raised' | 'unseen'): number {
  return days.reduce((sum, day) => sum + day[figure], 0);
}
